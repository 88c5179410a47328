#!/usr/bin/env bash
# The public workflows, and those that downstreams copy: well-formed, and safe. Neither of the two
# asks the network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

downstreams=(config/workflows/*.yml)
actionlint
actionlint "${downstreams[@]}"
zizmor --offline --no-progress --persona pedantic .github "${downstreams[@]}"
