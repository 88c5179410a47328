#!/usr/bin/env bash
# Builds the Dockerfile's runtime stage around a binary that is already there, and runs the image as
# its users will: not as root, on a root file system that cannot be written to. There is no Docker
# here and no registry: podman builds it, from a Debian that debootstrap made.
#
#   .ci/dockerfile.sh BINARY
#
# The other stage is tried by .ci/release.sh, as far as that goes without a Rust image.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

binary="$(realpath "$1")"
image=localhost/digest-bump:ci
name="digest-bump-ci-$$"
work="$(mktemp -d)"

# A container that may not make others, such as the public workflow's, or a user who is not root.
if ! unshare --mount true 2> /dev/null; then
  skipped "no container can be made here"
  exit
fi
packages podman runc debootstrap

# Everything of podman's lies in the cache and in the work folder, nothing in the machine's own store.
cat > "$work/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
CONF
export CONTAINERS_CONF="$work/containers.conf"
# No systemd's timer looks at the health here: this script does.
export DISABLE_HC_SYSTEMD=true
podman() { command podman --root "$cache/podman" --runroot /run/digest-bump-ci "$@"; }

clean() {
  podman rm --force --volumes --time 1 "$name" > "$work/rm.log" 2>&1 || true
  podman rmi --force "$image" > "$work/rmi.log" 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT

base() {
  podman image exists localhost/debian:12 && return
  local tree="$work/debian"
  debootstrap --variant=minbase bookworm "$tree" > "$work/debootstrap.log" 2>&1 ||
    { tail "$work/debootstrap.log" >&2; return 1; }
  tar --directory "$tree" --exclude './var/cache/apt/*' --exclude './var/lib/apt/lists/*' --create . |
    podman import --quiet - localhost/debian:12 > /dev/null
}

build() {
  mkdir "$work/build"
  cp "$binary" "$work/build/digest-bump"
  podman build --quiet --network host --format docker --tag "$image" \
    --build-arg RUST_IMAGE=localhost/not-needed --build-arg RUNTIME_IMAGE=localhost/debian:12 \
    --build-context "build=$work/build" . > "$work/build.log" 2>&1 ||
    { cat "$work/build.log" >&2; return 1; }
}

must_say() {
  local expected="$1" said
  shift
  said="$("$@" 2>&1)" || true
  if [[ "$said" != *"$expected"* ]]; then
    printf 'expected "%s" of: %s\nbut it said:\n%s\n' "$expected" "$*" "$said" >&2
    return 1
  fi
}

run() { podman run --network none --read-only --read-only-tmpfs=false --cap-drop all "$@"; }

serve() {
  cat > "$work/config.toml" <<CONF
state = "/var/lib/digest-bump"
listen = "0.0.0.0:8080"
$(sed -n '/^\[schedule\]/,$p' config/digest-bump.toml)
CONF
  chmod 644 "$work/config.toml"
  # The image has nothing that could confine a canary, and says so rather than run it.
  must_say "either install bubblewrap 0.8 or newer" run --rm --env DIGEST_BUMP_GITHUB_TOKEN=none \
    --volume "$work/config.toml:/etc/digest-bump.toml:ro" "$image"
  sed -i 's/^demand = "strict"/demand = "off"/' "$work/config.toml"
  run --detach --name "$name" --env DIGEST_BUMP_GITHUB_TOKEN=none \
    --volume "$work/config.toml:/etc/digest-bump.toml:ro" "$image" > "$work/id"
  local tries=0
  until podman healthcheck run "$name" > "$work/health.log" 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 40 ]; then
      cat "$work/health.log" >&2
      podman logs "$name" >&2
      return 1
    fi
    sleep 0.5
  done
  echo "healthy after $tries looks"
}

# By the image's own signal; whoever is not gone after a minute is killed, which is no 0.
stop() {
  podman stop --time 60 "$name" > "$work/stop.log"
  local status
  status="$(podman inspect --format '{{.State.ExitCode}}' "$name")"
  if [ "$status" != 0 ]; then
    podman logs "$name" >&2
    echo "SIGTERM ended it with $status" >&2
    return 1
  fi
}

base
build
podman image inspect --format 'image: {{.Size}} bytes, user {{.User}}' "$image"
must_say "Usage: digest-bump" run --rm "$image" --help
must_say "uid=10001(10001) gid=10001(10001) groups=10001(10001)" run --rm --entrypoint id "$image"
must_say "Read-only file system" run --rm --entrypoint touch "$image" /usr/local/bin/x
run --rm --entrypoint touch "$image" /var/lib/digest-bump/x
run --rm --entrypoint test "$image" -s /etc/ssl/certs/ca-certificates.crt
serve
stop
echo "SIGTERM ended it with 0"
