#!/usr/bin/env bash
# Builds what is shipped: by the Dockerfile's own command, from no more than .dockerignore lets
# through. So that stage of the Dockerfile is tried as well. Then looks at the binary.
#
#   .ci/release.sh TARGET_DIRECTORY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

mkdir -p "$1"
CARGO_TARGET_DIR="$(realpath "$1")"
# The system's zlib would have to be there wherever the binary runs.
LIBZ_SYS_STATIC=1
export CARGO_TARGET_DIR LIBZ_SYS_STATIC

# A fixed place, and the files' own times: what did not change is not compiled anew.
context="$cache/context"
rm -rf "$context"
mkdir "$context"
sed -n 's/^!//p' .dockerignore | while read -r path; do
  [ ! -e "$path" ] || cp --archive --parents "$path" "$context"
done

command="$(sed -n 's/^RUN \(cargo build [^&]*\) && cp .*/\1/p' Dockerfile)"
read -ra words <<< "$command"
echo "$command"
(cd "$context" && "${words[@]}")

binary="$CARGO_TARGET_DIR/release/digest-bump"
"$binary" --help
printf '%s bytes\n' "$(stat --format %s "$binary")"

# The C library and what belongs to it; anything else would be missing in the image.
foreign="$(ldd "$binary" | awk '{ print $1 }' |
  grep --invert-match --extended-regexp '^(linux-vdso|libgcc_s|libc|libm|.*/ld-linux-.*)\.so' || true)"
if [ -n "$foreign" ]; then
  printf 'linked, but not to be expected everywhere:\n%s\n' "$foreign" >&2
  exit 1
fi
