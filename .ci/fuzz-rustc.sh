#!/usr/bin/env bash
# The compiler as `.ci/fuzz.sh` has cargo call it for the crates of this workspace: the bot and the
# targets are built with libFuzzer's counters at every edge, and everything else as it always is.
# These are plain options of a stable compiler; there is no sanitizer, and the dependencies, which
# cargo does not send through here, are those of the ordinary build.
set -euo pipefail
case " $* " in
*" --crate-name digest_bump "* | *" --crate-name fuzz "*)
  exec "$@" --cfg fuzzing -Copt-level=1 -Ccodegen-units=16 -Cdebug-assertions -Coverflow-checks \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
*) exec "$@" ;;
esac
