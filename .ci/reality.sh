#!/usr/bin/env bash
# What GitHub publishes of itself, for the tests that hold the world to it: its GraphQL schema and
# its examples of webhooks, two npm packages of which nothing is run. They are kept in the cache; a
# second run asks nobody. Prints lines for the caller to eval; all else goes to stderr.
set -euo pipefail

schema=15.26.1   # @octokit/graphql-schema
examples=7.6.1   # @octokit/webhooks-examples

cache="${XDG_CACHE_HOME:-$HOME/.cache}/digest-bump"
folder="$cache/reality-$schema-$examples"
octokit="$folder/node_modules/@octokit"

if [ ! -d "$folder" ]; then
  echo "reality: fetching @octokit/graphql-schema $schema and @octokit/webhooks-examples $examples" >&2
  mkdir -p "$cache"
  fresh="$(mktemp -d "$cache/reality.XXXXXX")"
  trap 'rm -rf "$fresh"' EXIT
  npm install --prefix "$fresh" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
    "@octokit/graphql-schema@$schema" "@octokit/webhooks-examples@$examples" >&2
  # In one step, so that an interrupted run leaves nothing half done.
  mv -T "$fresh" "$folder" || [ -d "$folder" ]
fi

print() {
  [ -s "$2" ] || { echo "reality: $2 is missing; remove $folder and try again" >&2; exit 1; }
  echo "reality: $1 is $2" >&2
  printf 'export %s=%q\n' "$1" "$2"
}

print DIGEST_BUMP_GRAPHQL_SCHEMA "$octokit/graphql-schema/schema.graphql"
print DIGEST_BUMP_WEBHOOK_EXAMPLES "$octokit/webhooks-examples/api.github.com/index.json"
