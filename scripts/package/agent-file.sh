#!/usr/bin/env bash
# Builds the agent and makes the file in which it is rolled out, signed with a key
# of minisign's that lies wherever you keep it, and never on the server.
# usage: VERSION=0.2.0 [PROGRAM=built-agent] scripts/package/agent-file.sh FLOOR EXPIRES KEY [ARCH [OUT]]
#   FLOOR    lowest version that may step directly to this one
#   EXPIRES  day after which no device takes it any more, 2027-06-30
#   KEY      secret key of minisign; it asks for its password itself
set -euo pipefail

floor=${1:?floor} expires=${2:?day of expiry} key=${3:?secret key of minisign} arch=${4:-amd64} out=${5:-dist}
version=${VERSION:?version}
command -v minisign >/dev/null || { echo "missing: minisign (Debian package minisign)" >&2; exit 1; }

root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
key=$(realpath "$key")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

if [ -n "${PROGRAM:-}" ]; then
	cp "$PROGRAM" "$stage/agent"
else
	CGO_ENABLED=0 GOOS=linux GOARCH=$arch make -s -C "$root" agent-to OUT="$stage/agent" VERSION="$version" AGENT_KEYS="${AGENT_KEYS:-}"
fi
printf '{"version":"%s","os":"linux","arch":"%s","size":%d,"sha256":"%s","floor":"%s","expires":"%sT00:00:00Z"}\n' \
	"$version" "$arch" "$(stat -c %s "$stage/agent")" "$(sha256sum "$stage/agent" | cut -d ' ' -f 1)" "$floor" "$expires" >"$stage/manifest"
minisign -S -s "$key" -m "$stage/manifest" -x "$stage/signature" -t "schulwart-agent $version linux/$arch" >&2

file="$out/schulwart-agent_${version}_linux_$arch.swagent"
{ echo "schulwart-agent-file 1"; cat "$stage/manifest" "$stage/signature"; echo; cat "$stage/agent"; } >"$file"
echo "$file"
