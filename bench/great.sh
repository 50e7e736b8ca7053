#!/usr/bin/env bash
# Measures what a great vault costs: opening it, and maintaining it, with millions of chunks in the index.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: great.sh [--chunks N] [--work DIR]

--chunks   how many chunks the vault has (default 10000000: some 10 TB, of which nothing is there but index and manifests)
--work     where the vault is put (default ./benchwork); 150 bytes a chunk, and an empty file for 32 of them; emptied afterwards

OBENGINE names the program; otherwise it is published from this checkout. Needs GNU time. Seconds, and the peak of memory.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
chunks=10000000
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --chunks) chunks=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
publish "$here/.."
dotnet build "$here/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
echo "$passphrase" > "$work/passphrase"
"$OBENGINE" vault create "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"
PASSPHRASE=$passphrase "$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks" fill "$work/vault" "$chunks"

step() {
    local name=$1
    shift
    XDG_CACHE_HOME=$work/cache /usr/bin/time -f "$name: %e s, %U s user, %S s system, %M KiB" \
        "$OBENGINE" "$@" --vault "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"
}

# Listing the roots of a point does little but open the index.
step "open, without a cache" ls latest --no-cache
step "open, and make the cache" ls latest
step "open" ls latest
step "maintain, nothing cached" maintain --no-cache --dry-run

# There is nothing in the packs that a verification could read.
step "maintain" maintain --verify-days 0
step "maintain again" maintain --verify-days 0
