#!/usr/bin/env bash
# Builds what is shipped, by the Dockerfile's own command, and looks at it.
#
#   .ci/release.sh TARGET_DIRECTORY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The system's zlib would have to be there wherever the binary runs.
export LIBZ_SYS_STATIC=1
command="$(sed -n 's/^RUN \(cargo build [^&]*\) &&.*/\1/p' Dockerfile)"
echo "$command"
read -ra words <<< "$command"
"${words[@]}"
binary="$1/release/digest-bump"
"$binary" --help
printf '%s bytes\n' "$(stat --format %s "$binary")"

# The C library and what it consists of; anything else would be missing in the image.
foreign="$(ldd "$binary" | awk '{ print $1 }' |
  grep --invert-match --extended-regexp '^(linux-vdso|libgcc_s|libc|libm|.*/ld-linux-.*)\.so' || true)"
if [ -n "$foreign" ]; then
  printf 'linked, but not to be expected everywhere:\n%s\n' "$foreign" >&2
  exit 1
fi
