#!/usr/bin/env bash
# Browser tests: a program of their own with the demo province, then web/e2e against it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! compgen -G 'web/e2e/*.test.ts' > /dev/null; then
  echo "no browser tests in web/e2e" >&2
  exit 1
fi
# The tests changed the page and the program already; this builds nothing anew.
cargo build --locked
program=${CARGO_TARGET_DIR:-target}/debug/cuntong

# Root lends PostgreSQL another user, who must be able to enter the directory.
data=$(mktemp -d /tmp/cuntong-e2e.XXXXXX)
chmod 755 "$data"
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
export CUNTONG_URL=http://127.0.0.1:$port

"$program" serve --data-dir "$data" --listen "127.0.0.1:$port" --demo poor > "$data/serve.log" 2>&1 &
server=$!
# shellcheck disable=SC2317 # called by the trap
stop() {
  kill "$server" 2> /dev/null || true
  wait "$server" 2> /dev/null || true
  rm -rf "$data"
}
trap stop EXIT

for _ in $(seq 600); do
  if [ "$(curl -s -o /dev/null -w '%{http_code}' "$CUNTONG_URL/readyz" || true)" = 200 ]; then
    npm --prefix web run e2e
    exit
  fi
  if ! kill -0 "$server" 2> /dev/null; then
    break
  fi
  sleep 0.5
done
echo "the program did not get ready:" >&2
tail -50 "$data/serve.log" >&2
exit 1
