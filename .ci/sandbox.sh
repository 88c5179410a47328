#!/usr/bin/env bash
# The sandbox's tests once more as a user like any other, where the gate itself is root's: what root
# may do hides what a plain user may not.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

if [ "$(id -u)" != 0 ]; then
  skipped "the tests ran as a plain user already"
  exit
fi
# Neither the clone nor the build's output need be a place that others can look into.
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
built() {
  cargo test --locked --test sandbox --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'
}
while IFS= read -r executable; do
  case "$(basename "$executable")" in
    sandbox-*) cp "$executable" "$folder/tests" ;;
    digest-bump) cp "$executable" "$folder/digest-bump" ;;
  esac
done <<<"$(built)"
chmod 755 "$folder" "$folder"/*
cd "$folder"
DIGEST_BUMP_LAUNCHER="$folder/digest-bump" HOME=/root \
  setpriv --reuid=65534 --regid=65534 --clear-groups ./tests "$@"
