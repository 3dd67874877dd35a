#!/bin/sh
# A PostgreSQL server for tests, in a directory of its own on a free port, or
# none at all: everything that it makes is gone after "stop".
#
#   eval "$(scripts/postgres.sh start)"   sets TEST_POSTGRES_DSN and SCHULWART_POSTGRES
#   scripts/postgres.sh stop              ends the server that SCHULWART_POSTGRES names
#   scripts/postgres.sh run COMMAND…      runs the command with a server around it
set -eu

bin() {
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin; do
		if [ -x "$dir/initdb" ]; then newest=$dir; fi
	done
	if [ -n "${newest:-}" ]; then echo "$newest"; return; fi
	if path=$(command -v initdb); then dirname "$path"; return; fi
	echo "missing: PostgreSQL (initdb)" >&2
	return 1
}

# PostgreSQL refuses to run as root.
as_owner() {
	if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
	if ! id postgres >/dev/null 2>&1; then echo "missing: user postgres (root must not run PostgreSQL)" >&2; return 1; fi
	(cd / && setpriv --reuid postgres --regid postgres --clear-groups env HOME="$dir" "$@")
}

start() {
	bin=$(bin)
	dir=$(mktemp -d "${TMPDIR:-/tmp}/schulwart-postgres.XXXXXX")
	if [ "$(id -u)" -eq 0 ]; then chown postgres "$dir"; fi
	as_owner "$bin/initdb" -D "$dir/data" -U test -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
		{ cat "$dir/initdb.log" >&2; rm -rf "$dir"; return 1; }
	# Tests need no durability of PostgreSQL's own; what is tested is our SQL.
	for _ in 1 2 3 4 5; do
		port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 30000))
		if as_owner "$bin/pg_ctl" -D "$dir/data" -w -t 30 -l "$dir/server.log" -o "-h 127.0.0.1 -p $port -k $dir -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" start >/dev/null 2>&1; then
			echo "export TEST_POSTGRES_DSN='postgres://test@127.0.0.1:$port/postgres?sslmode=disable'"
			echo "export SCHULWART_POSTGRES='$dir'"
			return
		fi
	done
	cat "$dir/server.log" >&2
	rm -rf "$dir"
	return 1
}

stop() {
	dir=${SCHULWART_POSTGRES:?names no server: start one first}
	as_owner "$(bin)/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "$dir"
}

case ${1:-} in
start) start ;;
stop) stop ;;
run)
	shift
	settings=$(start)
	eval "$settings"
	trap stop EXIT
	trap 'exit 130' INT TERM
	"$@"
	;;
*)
	echo "usage: $0 start | stop | run COMMAND…" >&2
	exit 2
	;;
esac
