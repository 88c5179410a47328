#!/usr/bin/env bash
# Mutation testing of `policy` and `edit`: each mutant is a small change of the code that a test
# must notice. At least 95 % are caught, and what survives is listed with a reason.
#
#   .ci/mutants.sh                        all of them
#   DIGEST_BUMP_MUTANTS_BASE=main …       only in what changed since that commit
#   DIGEST_BUMP_MUTANTS_SHARD=3/8 …       the fourth of eight equal parts, or `today/8` for the
#                                         one whose turn it is
#   DIGEST_BUMP_MUTANTS_JOBS=1 …          so many at a time; as many as there are cores unless told
#
# The two modules need little of the crate, so they are tried in a package of their own: copied,
# with what they need of the manifest, to a place in memory. Both use the same lock file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=27.1.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump"
tools="$cache/mutants-$version"
dependencies='chrono|pulldown-cmark|regex|semver|serde|serde_json|sha2|thiserror'
test_dependencies='insta|proptest|schemars'

if [ ! -x "$tools/bin/cargo-mutants" ]; then
  echo "installing cargo-mutants $version into $tools"
  CARGO_TARGET_DIR="$cache/tools-target" cargo install cargo-mutants --version "$version" \
    --locked --quiet --jobs 2 --root "$tools"
  rm -rf "$cache/tools-target"
fi

memory=/dev/shm
[ -w "$memory" ] || memory="${TMPDIR:-/tmp}"
work="$(mktemp -d "$memory/digest-bump-mutants.XXXXXX")"
trap 'rm -rf "$work"' EXIT
package="$work/package"
export TMPDIR="$work/tmp"
mkdir -p "$TMPDIR" "$package/src"
cp Cargo.lock "$package/"
cp -r src/domain src/edit src/policy "$package/src/"
# The tests of the decision become a module beside the others: one crate is built for each mutant
# instead of three, and the quick tests, whose names come first, run first.
cp -r tests/decision "$package/src/tests_of_decision"
mv "$package"/src/tests_of_decision/{main,mod}.rs
sed -i 's/\bcrate::/crate::tests_of_decision::/g' "$package"/src/tests_of_decision/*.rs
cat >"$package/src/lib.rs" <<'RUST'
pub mod domain;
pub mod edit;
pub mod policy;
#[cfg(test)]
extern crate self as digest_bump;
#[cfg(test)]
mod tests_of_decision;

/// The first test that fails ends it all: one is enough.
#[test]
fn a_first() {
    std::panic::set_hook(Box::new(|what| {
        eprintln!("{what}");
        std::process::exit(101);
    }));
}
RUST
{
  sed -n '/^\[package\]/,/^$/p' Cargo.toml | grep -v '^readme'
  printf '[dependencies]\n'
  grep -E "^($dependencies) = " Cargo.toml
  printf '[dev-dependencies]\n'
  grep -E "^($test_dependencies) = " Cargo.toml
  # Hundreds of small builds and short test runs. Optimised code would be tested sooner, but it
  # takes longer to build than that is worth.
  printf '[workspace]\n[profile.dev]\ndebug = false\n'
  printf '[profile.dev.package."*"]\nopt-level = 2\n'
} >"$package/Cargo.toml"

which=()
shard=0 of=1
if [ -n "${DIGEST_BUMP_MUTANTS_BASE:-}" ]; then
  git diff "$DIGEST_BUMP_MUTANTS_BASE" -- src/edit src/policy >"$work/changes.diff"
  if [ ! -s "$work/changes.diff" ]; then
    echo "nothing changed in src/edit and src/policy since $DIGEST_BUMP_MUTANTS_BASE"
    exit 0
  fi
  which+=(--in-diff "$work/changes.diff")
fi
if [ -n "${DIGEST_BUMP_MUTANTS_SHARD:-}" ]; then
  shard="${DIGEST_BUMP_MUTANTS_SHARD%/*}" of="${DIGEST_BUMP_MUTANTS_SHARD#*/}"
  [ "$shard" != today ] || shard=$(($(date +%s) / 86400 % of))
  echo "part $shard of 0 to $((of - 1))"
fi

start=$SECONDS
jobs="${DIGEST_BUMP_MUTANTS_JOBS:-$(nproc)}"
# Property tests draw the same cases each time, so that a survivor is one the next time too.
export PROPTEST_RNG_SEED=1 INSTA_UPDATE=no

# One job: its share of the mutants, one after the other in a copy of its own. What the package
# depends on is built once for all runs; cargo-mutants' own jobs would build it anew each time.
try() {
  local job="$1" copy="$work/job$1"
  cp -r "$package" "$copy"
  export CARGO_TARGET_DIR="$cache/mutants-target-$job"
  "$tools/bin/cargo-mutants" mutants --in-place --dir "$copy" --output "$work/out$job" \
    --file 'src/edit/**' --file 'src/policy/**' "${which[@]}" \
    --shard "$((shard * jobs + job))/$((of * jobs))" --sharding round-robin \
    --no-times --colors never \
    --minimum-test-timeout 60 --timeout-multiplier 5 --build-timeout 300 \
    --cargo-test-arg=--lib >"$work/log$job" 2>&1
}
running=()
for ((job = 0; job < jobs; job++)); do
  try "$job" &
  running+=("$!")
done
for job in "${!running[@]}"; do
  status=0
  wait "${running[job]}" || status=$?
  # 2 and 3 say that mutants were missed or ran out of time: judged below.
  case "$status" in
  0 | 2 | 3) ;;
  *)
    tail -n 60 "$work/log$job"
    exit "$status"
    ;;
  esac
done
printf '%s s for the mutants\n' "$((SECONDS - start))"
partly=()
[ "$of" -eq 1 ] && [ "${#which[@]}" -eq 0 ] || partly=(--partly)
python3 .ci/survivors.py .ci/survivors.txt "${partly[@]}" "$work"/out*/mutants.out/outcomes.json
