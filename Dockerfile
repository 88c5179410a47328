# The base images are arguments: to pin them by digest, to take them from a mirror of one's own, or
# to try this file where there is no registry (.ci/dockerfile.sh).
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=docker.io/library/debian:12-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /build
COPY . .
# The system's zlib would have to be in the small image as well.
ENV LIBZ_SYS_STATIC=1
RUN cargo build --release --locked --package digest-bump && cp target/release/digest-bump /

FROM ${RUNTIME_IMAGE} AS runtime
# For TLS to GitHub, npm and the registry. What a canary needs, such as Node, is its operator's to
# add, in an image made from this one.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
  && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/digest-bump
COPY --from=build /digest-bump /usr/local/bin/digest-bump
# A number, so that an engine can see that it is not root. It owns its state and nothing else.
USER 10001:10001
VOLUME /var/lib/digest-bump
# The config is mounted at /etc/digest-bump.toml. Its `listen` is asked for the health; without one
# there is no health to see, and the check has to be turned off (--no-healthcheck).
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["digest-bump", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["digest-bump"]
CMD ["serve"]
