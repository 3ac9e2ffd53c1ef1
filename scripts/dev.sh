#!/usr/bin/env bash
# Builds and serves, and does so again whenever a source changes. The last good build keeps running
# while the next one does not compile.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${CARGO_TARGET_DIR:-target}/debug/cuntong
stamp=$(mktemp)
server=
# shellcheck disable=SC2317 # called by the trap
stop() {
  if [ -n "$server" ]; then
    kill "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
  fi
  rm -f "$stamp"
}
trap stop EXIT
trap 'exit 0' INT TERM

while true; do
  touch "$stamp"
  if cargo build --locked; then
    if [ -n "$server" ]; then
      kill "$server" 2> /dev/null || true
      wait "$server" 2> /dev/null || true
    fi
    "$program" serve --demo "${SCALE:-poor}" "$@" &
    server=$!
  fi
  until [ -n "$(find src tiles/src migrations web/dist Cargo.toml -newer "$stamp" -print -quit 2> /dev/null)" ]; do
    sleep 1
  done
  # An editor writes several files; take them together.
  sleep 0.3
done
