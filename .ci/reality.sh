#!/usr/bin/env bash
# What the tests hold the world and the bot to, from npm: what GitHub publishes of itself (its GraphQL
# schema and its examples of webhooks), of which nothing is run, Sigstore's own verifier for
# JavaScript, the independent judge of signatures, and Octokit's signer of webhooks. They are kept in
# the cache; a second run asks nobody. And where cargo put the crates that bring genuine bundles of
# the public Sigstore along. Prints lines for the caller to eval; all else goes to stderr.
set -euo pipefail

schema=15.26.1   # @octokit/graphql-schema
examples=7.6.1   # @octokit/webhooks-examples
verifier=3.1.1   # @sigstore/verify, which brings its own bundle format and definitions along
signer=6.0.0     # @octokit/webhooks-methods

cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump"
published="$cache/reality-$schema-$examples"
judge="$cache/judge-$verifier"
hooks="$cache/hooks-$signer"
fresh=""
trap '[ -z "$fresh" ] || rm -rf "$fresh"' EXIT

# fetch FOLDER PACKAGE@VERSION…
fetch() {
  local folder="$1"
  shift
  [ ! -d "$folder" ] || return 0
  echo "reality: fetching $*" >&2
  mkdir -p "$cache"
  fresh="$(mktemp -d "$cache/fetched.XXXXXX")"
  npm install --prefix "$fresh" --ignore-scripts --no-audit --no-fund --no-package-lock \
    --loglevel=error "$@" >&2
  # In one step, so that an interrupted run leaves nothing half done.
  mv -T "$fresh" "$folder" || [ -d "$folder" ]
}

# print VARIABLE PATH [FILE]: the path, if it, or the file below it, is there and not empty.
print() {
  local file="$2${3:+/$3}"
  [ -s "$file" ] || { echo "reality: $file is missing; remove its folder and try again" >&2; exit 1; }
  echo "reality: $1 is $2" >&2
  printf 'export %s=%q\n' "$1" "$2"
}

fetch "$published" "@octokit/graphql-schema@$schema" "@octokit/webhooks-examples@$examples"
fetch "$judge" "@sigstore/verify@$verifier"
fetch "$hooks" "@octokit/webhooks-methods@$signer"

octokit="$published/node_modules/@octokit"
print DIGEST_BUMP_GRAPHQL_SCHEMA "$octokit/graphql-schema/schema.graphql"
print DIGEST_BUMP_WEBHOOK_EXAMPLES "$octokit/webhooks-examples/api.github.com/index.json"
print DIGEST_BUMP_WEBHOOKS_JS "$hooks" node_modules/@octokit/webhooks-methods/package.json
print DIGEST_BUMP_SIGSTORE_JS "$judge" node_modules/@sigstore/verify/package.json

# The folder that holds the sources of sigstore-verify beside those of its trusted root.
cargo fetch --locked --quiet
sources="$(cargo metadata --format-version 1 --locked | python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "sigstore-verify":
        print(os.path.dirname(os.path.dirname(package["manifest_path"])))')"
first="$(sed -n 's/^verified \([^ ]*\) .*/\1/p;' tests/cli/public.txt | head -n 1)"
print DIGEST_BUMP_SIGSTORE_CASES "$sources" "$first"
