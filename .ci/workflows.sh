#!/usr/bin/env bash
# The public workflows: well-formed, and safe. Neither of the two asks the network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

actionlint
zizmor --offline --no-progress --persona pedantic .github
