#!/usr/bin/env bash
# Runs a command and says how long it took, for the record in a long log.
# Usage: scripts/timed.sh NAME COMMAND…
set -euo pipefail
name=$1
shift
begun=$SECONDS
"$@"
echo "== $name: $((SECONDS - begun)) s"
