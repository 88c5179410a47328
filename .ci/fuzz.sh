#!/usr/bin/env bash
# A bounded, coverage-guided fuzz of everything that reads foreign bytes (`tests/fuzz/`), on the
# stable toolchain: libFuzzer drives, the bot and the targets are instrumented, and the dependencies
# are those of the ordinary build.
#
#   .ci/fuzz.sh                      all targets
#   .ci/fuzz.sh notes config         only these
#   DIGEST_BUMP_FUZZ_SECONDS=300 …   for so long each (15 unless told)
#
# What was found interesting is kept in the cache directory for the next time. An input that fails
# is kept too, and printed; it is run again by giving its file to the binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds="${DIGEST_BUMP_FUZZ_SECONDS:-15}"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump/fuzz"
# No parser may take longer for one input, nor more memory.
input_seconds=10
memory_mb=1024
longest=65536

if ! command -v c++ >/dev/null; then
  echo "installing a C++ compiler, for libFuzzer"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ >/dev/null
fi

# The part that only the fuzzer compiles is held to the same rules.
cargo clippy --quiet --locked -p fuzz --features libfuzzer -- --cfg fuzzing -D warnings
RUSTC_WORKSPACE_WRAPPER="$PWD/.ci/fuzz-rustc.sh" \
  cargo build --quiet --locked -p fuzz --features libfuzzer
fuzz="${CARGO_TARGET_DIR:-target}/debug/fuzz"

all="$("$fuzz" 2>/dev/null)"
targets=("$@")
[ "$#" -gt 0 ] || mapfile -t targets <<<"$all"

# fuzz_one TARGET: fuzzes it, says in one line how far that came, and fails if an input did.
fuzz_one() {
  local target="$1" seeds="tests/fuzz/seeds/$1" log="$cache/$1.log" status=0 last
  [ -d "$seeds" ] || { echo "$target has no seeds in $seeds"; return 1; }
  mkdir -p "$cache/corpus/$target" "$cache/failures"
  DIGEST_BUMP_FUZZ_TARGET="$target" "$fuzz" "$cache/corpus/$target" "$seeds" \
    -seed=1 -max_total_time="$seconds" -timeout="$input_seconds" -rss_limit_mb="$memory_mb" \
    -max_len="$longest" -artifact_prefix="$cache/failures/$target-" \
    -print_final_stats=1 >"$log" 2>&1 || status=$?
  last="$(grep -aE '^#[0-9]+.* cov: ' "$log" | tail -n 1 || true)"
  printf '%-10s %9s runs, %6s edges, %5s inputs kept\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' <<<"$last")" \
    "$(sed -n 's|.* corp: \([0-9]*\)/.*|\1|p' <<<"$last")"
  if [ "$status" -ne 0 ]; then
    grep -aE 'panicked|^  (left|right)|ERROR|Test unit written|^Base64' -A 2 "$log" | head -n 40
    return 1
  fi
  # What only repeats other inputs is not kept for ever.
  local small="$cache/small/$target"
  rm -rf "$small" && mkdir -p "$small"
  if DIGEST_BUMP_FUZZ_TARGET="$target" "$fuzz" -merge=1 "$small" "$cache/corpus/$target" \
    >/dev/null 2>&1; then
    rm -rf "$cache/corpus/$target" && mv "$small" "$cache/corpus/$target"
  fi
}

# One on each core: the time for each is the clock's.
export -f fuzz_one
export fuzz cache seconds input_seconds memory_mb longest
# shellcheck disable=SC2016 # The inner shell expands it.
printf '%s\n' "${targets[@]}" | xargs -n 1 -P "$(nproc)" bash -euo pipefail -c 'fuzz_one "$1"' fuzz_one
