#!/usr/bin/env bash
# Draws board.png, the picture in the README, from a demo of its own: the class
# that has a lesson now, put into a mode, with what its devices read back.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
logins=$(mktemp -u)
port=$((20000 + RANDOM % 20000))

"$root/bin/schulwart" demo --listen "127.0.0.1:$port" --device-listen "127.0.0.1:$((port + 1))" --logins "$logins" --log-level warn >/dev/null &
demo=$!
trap 'kill "$demo" 2>/dev/null; wait "$demo" 2>/dev/null || true; rm -f "$logins"' EXIT
for _ in $(seq 100); do
	[[ -s $logins ]] && break
	sleep 0.1
done
node "$here/take.mjs" "http://127.0.0.1:$port" "$logins" "$here/board.png"
