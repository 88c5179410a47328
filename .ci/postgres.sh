#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own: in a temporary directory, on a loopback
# port, ended with the command. The tests find it by the variables that are set here.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/common.sh
. .ci/common.sh

newest() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1; }
if [ -z "$(newest)" ]; then
  # The package's own cluster is not wanted.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  packages postgresql
fi
binaries="$(newest)"

home="$(mktemp -d)"
# The server refuses to run as root.
as_server=(env)
if [ "$(id -u)" = 0 ]; then
  as_server=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$home"
fi
stop() {
  "${as_server[@]}" "$binaries/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$home"
}
trap stop EXIT

password="$(head -c 24 /dev/urandom | base64 | tr -d '/+=')"
printf '%s\n' "$password" >"$home/password"
"${as_server[@]}" "$binaries/initdb" --pgdata="$home/data" --username=bot --auth=scram-sha-256 \
  --pwfile="$home/password" --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$home/initdb.log" 2>&1 ||
  { cat "$home/initdb.log" && exit 1; }
rm "$home/password"

# What is written may be lost with the machine: it is a test's.
options="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=300"
start() {
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    "${as_server[@]}" "$binaries/pg_ctl" -D "$home/data" -l "$home/server.log" -w -t 30 \
      -o "$options -p $port" start >/dev/null && return
  done
  cat "$home/server.log"
  return 1
}
start
"$binaries/postgres" --version
export DIGEST_BUMP_TEST_POSTGRES="postgres://bot@127.0.0.1:$port"
export DIGEST_BUMP_DATABASE_PASSWORD="$password"
"$@"
