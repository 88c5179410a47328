#!/usr/bin/env bash
# Puts the tools of tools.txt into a virtual environment in the cache, and prints its bin folder.
# One environment for each list: a second run installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

wanted="$(sha256sum .ci/tools.txt | cut -c1-12)"
tools="$cache/tools-$wanted"
if [ ! -e "$tools/complete" ]; then
  rm -rf "$cache"/tools-*
  python3 -c 'import ensurepip' 2>/dev/null || packages python3-venv >&2
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --requirement .ci/tools.txt >&2
  touch "$tools/complete"
fi
echo "$tools/bin"
