# shellcheck shell=bash
# What the gate's scripts share. To be read in by them, from the top of the clone.

# Whatever outlives a run: tools, build output, base images.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump"
mkdir -p "$cache"

# On a machine of the project's everything that the gate looks for is there; elsewhere it may lack.
on_our_machine() { [ "${CI:-}" = true ] && [ -z "${GITHUB_ACTIONS:-}" ]; }

# Says aloud that something is not looked at. On a machine of the project's that is a failure.
skipped() {
  printf 'SKIPPED: %s\n' "$1"
  ! on_our_machine
}

# need VARIABLE PATH: exports the variable by which the tests find what is no part of the project.
# Without a value it points to PATH, and is unset where nothing is there.
need() {
  local variable="$1" path="${!1:-$2}"
  if [ -e "$path" ]; then
    path="$(realpath "$path")"
    export "$variable=$path"
  else
    unset "$variable"
    skipped "nothing at $path (set $variable)"
  fi
}

# packages NAME…: Debian packages. Those that are there cost nothing.
packages() {
  local name missing=()
  for name; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      missing+=("$name")
  done
  [ "${#missing[@]}" != 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    skipped "installing ${missing[*]} takes root"
    return 1
  fi
  local apt=(apt-get --option DPkg::Lock::Timeout=300 --quiet=2)
  "${apt[@]}" update
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"
}
