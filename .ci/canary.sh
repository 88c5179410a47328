#!/usr/bin/env bash
# The real parts that the contract canary is tried with: pnpm, a registry for npm packages, what the
# fixture of `tests/canary/` depends on, and a container engine. They are kept in the cache; a second
# run asks nobody. Prints lines for the caller to eval; all else goes to stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

# What the downstream uses, and with it what the fixture is measured to do.
pnpm=8.15.9
verdaccio=6.8.0   # the newest that runs on Debian's Node 20

fixture=tests/canary/workspace
tools="$cache/canary-pnpm-$pnpm-verdaccio-$verdaccio"
# The fixture's own dependencies decide what lies in the store.
wanted="$(cat "$fixture"/packages/*/package.json | sha256sum | cut -c1-12)"
store="$cache/canary-store-$wanted"
fresh=""
trap '[ -z "$fresh" ] || rm -rf "$fresh"' EXIT

say() { printf 'canary: %s\n' "$*" >&2; }

if [ ! -d "$tools" ]; then
  say "fetching pnpm $pnpm and verdaccio $verdaccio"
  fresh="$(mktemp -d "$cache/fetched.XXXXXX")"
  # One of verdaccio's dependencies asks for a version that its others do not go with.
  printf '{"private": true, "overrides": {"node-fetch": "2.7.0"}}\n' >"$fresh/package.json"
  npm install --prefix "$fresh" --ignore-scripts --no-audit --no-fund --no-package-lock \
    --loglevel=error "pnpm@$pnpm" "verdaccio@$verdaccio" >&2
  # In one step, so that an interrupted run leaves nothing half done.
  mv -T "$fresh" "$tools" || [ -d "$tools" ]
fi

if [ ! -e "$store/complete" ]; then
  say "filling the store with what the fixture depends on"
  rm -rf "$cache"/canary-store-*
  fresh="$(mktemp -d)"
  cp -r "$fixture/." "$fresh"
  # The connector is not there to be had: the tests publish their own.
  sed -i '/"@toon-protocol\/connector"/d' "$fresh"/packages/*/package.json
  (cd "$fresh" && "$tools/node_modules/.bin/pnpm" install --no-frozen-lockfile --ignore-scripts \
    --store-dir "$store/store" --config.cache-dir="$store/metadata" --reporter=silent) >&2
  rm -rf "$fresh"
  touch "$store/complete"
fi

say "pnpm $("$tools/node_modules/.bin/pnpm" --version), store $store"
printf 'export DIGEST_BUMP_CANARY_TOOLS=%q\n' "$tools/node_modules/.bin"
printf 'export DIGEST_BUMP_CANARY_STORE=%q\n' "$store"

# A container that may not make others, such as the public workflow's, or a user who is not root.
# The tests that need one then say that they are skipped.
if unshare --mount true 2>/dev/null; then
  packages podman runc uidmap gcc libc6-dev >&2
  # The engine is rootless, and of a user of its own: a socket of root's or the bot's is refused.
  engine=digest-bump-engine
  id "$engine" >/dev/null 2>&1 ||
    useradd --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$engine" >&2
  grep -q "^$engine:" /etc/subuid ||
    usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "$engine" >&2
  say "$(podman --version), by the user $engine"
  printf 'export DIGEST_BUMP_PODMAN=%q\n' "$(command -v podman)"
  printf 'export DIGEST_BUMP_ENGINE_USER=%q\n' "$engine"
else
  skipped "no container can be made here" >&2
fi
