#!/usr/bin/env bash
# Fetches Debian's `docker-registry`, against which the registry client is tested too.
#
# The package is unpacked into a cache and not installed: it would bring a service that starts by
# itself and listens on every address. On stdout comes the line that tells the tests, for
# `eval "$(.ci/registry.sh)"`; what is being done is said on stderr.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump/docker-registry"
binary="$cache/usr/bin/docker-registry"

say() { printf 'registry: %s\n' "$*" >&2; }

# As the user that asks: apt's own may not write here.
download() { apt-get -qq -o APT::Sandbox::User=root download docker-registry >&2; }

fetch() {
  local folder
  folder="$(mktemp -d)"
  cd "$folder"
  if ! download; then
    say "asking what packages there are"
    apt-get -qq update >&2
    download
  fi
  rm -rf "$cache.new"
  mkdir -p "$cache.new"
  dpkg-deb --extract docker-registry_*.deb "$cache.new"
  rm -rf "$folder" "$cache"
  mv "$cache.new" "$cache"
}

if ! "$binary" --version >/dev/null 2>&1; then
  say "fetching Debian's package docker-registry"
  (fetch)
fi
say "$("$binary" --version)"
printf 'export DIGEST_BUMP_DOCKER_REGISTRY=%q\n' "$binary"
