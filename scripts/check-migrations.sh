#!/usr/bin/env bash
# Checks the migrations: names, rules of migrations/README.md that a machine can see, and that they
# apply to an empty database of a scratch cluster.
set -euo pipefail
cd "$(dirname "$0")/../migrations"

fail=0
complain() {
  echo "$1" >&2
  fail=1
}

previous=
for file in *.sql; do
  [[ $file =~ ^[0-9]{14}_[a-z]+(_[a-z0-9]+)*\.sql$ ]] || complain "$file: the name is not YYYYMMDDHHMMSS_verb_noun.sql"
  version=${file%%_*}
  [ "$version" != "$previous" ] || complain "$file: the version stands twice"
  previous=$version
  head -1 "$file" | grep -q '^-- ' || complain "$file: the first line does not say what it is for"
  # A table that holds rows is changed under load: these take long locks or cannot be taken back.
  if grep -niE '^\s*(DROP TABLE|TRUNCATE|VACUUM FULL|LOCK TABLE)' "$file"; then
    complain "$file: see 'contract' in migrations/README.md"
  fi
  if grep -niE '\b(timestamp without time zone|timestamp\b[^t]|char\([0-9]+\)|serial\b|money\b)' "$file" | grep -v -- '^[0-9]*:\s*--'; then
    complain "$file: use timestamptz, text, identity columns, numeric"
  fi
done
[ "$fail" -eq 0 ] || exit 1

bin=$(for dir in /usr/lib/postgresql/*/bin; do [ -x "$dir/initdb" ] && echo "$dir"; done | sort -V | tail -1)
[ -n "$bin" ] || { echo "no PostgreSQL programs" >&2; exit 1; }
scratch=$(mktemp -d /tmp/cuntong-sql.XXXXXX)
as=()
if [ "$(id -u)" -eq 0 ]; then
  chown postgres "$scratch"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/)
fi
# shellcheck disable=SC2317 # called by the trap
stop() {
  (cd / && "${as[@]}" "$bin/pg_ctl" stop -D "$scratch/pg" -m immediate -s) || true
  rm -rf "$scratch"
}
trap stop EXIT
migrations=$PWD
cd /
"${as[@]}" "$bin/initdb" -D "$scratch/pg" --encoding=UTF8 --locale=C.UTF-8 --auth=trust --username=owner \
  --no-sync --no-instructions > /dev/null
"${as[@]}" "$bin/pg_ctl" start -D "$scratch/pg" -w -s -l "$scratch/log" \
  -o "-c listen_addresses= -c unix_socket_directories=$scratch -c fsync=off"
for file in "$migrations"/*.sql; do
  # Root reads the file: the cluster's user may not be able to enter the clone.
  once=(-1)
  if head -1 "$file" | grep -q '^-- no-transaction'; then once=(); fi
  "${as[@]}" "$bin/psql" -h "$scratch" -U owner -d postgres -X -q "${once[@]}" -v ON_ERROR_STOP=1 -f - < "$file" > /dev/null \
    || { echo "$(basename "$file") does not apply" >&2; exit 1; }
done
# Every constraint that people can break becomes a named error, so none may have a made-up name.
unnamed=$("${as[@]}" "$bin/psql" -h "$scratch" -U owner -d postgres -X -A -t -c "
  SELECT conrelid::regclass || '.' || conname FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u')
     AND conrelid <> 'spatial_ref_sys'::regclass
     AND conname ~ '_(check[0-9]*|key[0-9]*)$'")
if [ -n "$unnamed" ]; then
  echo "constraints without a name of ours:" >&2
  echo "$unnamed" >&2
  exit 1
fi
echo "$(find "$migrations" -name '*.sql' | wc -l) migrations apply"
