#!/usr/bin/env bash
# Builds the Debian packages of the agent, for amd64 and arm64.
# usage: scripts/package/deb.sh VERSION [OUT [ARCH ...]]
set -euo pipefail

version=${1:?version}
out=${2:-dist}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- amd64 arm64

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || true)

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# The unit files are those that the agent itself would install.
for unit in "$root"/agent/service/*.service "$root"/agent/service/*.timer; do
	sed -e 's|@EXE@|/usr/bin/schulwart-agent|g' -e 's|@STATE@|/var/lib/schulwart-agent|g' "$unit" >"$stage/$(basename "$unit")"
done
cp "$here"/files/* "$stage/"

cd "$root"
for arch in "$@"; do
	# As small as it is everywhere else.
	CGO_ENABLED=0 GOOS=linux GOARCH=$arch make -s agent-to OUT="$stage/schulwart-agent" VERSION="$version" COMMIT="$commit"
	sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@STAGE@|$stage|" "$here/nfpm.yaml" >"$stage/nfpm.yaml"
	CGO_ENABLED=0 go run "$nfpm" package --config "$stage/nfpm.yaml" --packager deb --target "$out/" >&2
done
ls -1 "$out"/schulwart-agent_*.deb
