#!/usr/bin/env bash
# Measures what it costs to let go of recovery points: obengine maintain and restic prune on the same backups.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: prune.sh [--files N] [--points N] [--rounds N] [--work DIR]

--files    how many files the source has, each a chunk of 146 KB on average (default 40000: 5.8 GB); half are new in each point
--points   how many recovery points there are (default 9: 200,000 chunks, of which the oldest point alone needs 20,000)
--rounds   how often the oldest point goes and its data are deleted (default 3), less than there are points
--work     where the source, the vault and the repository are put (default ./benchwork): 40 KB a chunk in each of the two; emptied afterwards

OBENGINE and RESTIC name the programs; otherwise obengine is published from this checkout, and restic is looked up in PATH. Needs GNU time.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
files=40000
points=9
rounds=3
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --files) files=$2; shift 2 ;;
        --points) points=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
((rounds < points)) || usage
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
publish "$here/.."
dotnet build "$here/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
benchmarks=$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks
RESTIC=${RESTIC:-restic}

measured=$work/measured
source=$work/source
home=$work
echo "$passphrase" > "$work/passphrase"
export OBENGINE RESTIC work home RESTIC_PASSWORD_FILE=$work/passphrase XDG_CACHE_HOME=$work/cache RESTIC_CACHE_DIR=$work/cache
cat > "$work/steps.sh" <<'TEXT'
set -euo pipefail
maintain() { exec "$OBENGINE" maintain --vault "$work/vault" --passphrase-file "$work/passphrase" --quiet; }
prune() { exec "$RESTIC" -q prune -r "$work/repository"; }
"$@"
TEXT

"$OBENGINE" --version
"$RESTIC" version
"$OBENGINE" vault create "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"
"$RESTIC" -q init -r "$work/repository"
for ((point = 0; point < points; point++)); do
    "$benchmarks" churn "$source" "$files" "$point"
    "$OBENGINE" backup "$source" --vault "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"
    "$RESTIC" -q backup -r "$work/repository" "$source"
done
rm -rf "$source"
du -sm "$work/vault" "$work/repository"

for ((round = 1; round <= rounds; round++)); do
    PASSPHRASE=$passphrase "$benchmarks" end "$work/vault"
    "$RESTIC" -q forget -r "$work/repository" --keep-last $((points - round)) > "$work/output"
    if ((round % 2)); then
        measure obengine maintain maintain
        measure restic prune prune
    else
        measure restic prune prune
        measure obengine maintain maintain
    fi
    du -sm "$work/vault" "$work/repository"
done
"$OBENGINE" verify --vault "$work/vault" --passphrase-file "$work/passphrase" --quiet
"$RESTIC" -q check -r "$work/repository"
