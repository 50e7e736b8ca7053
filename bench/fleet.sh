#!/usr/bin/env bash
# Measures what questions about many machines cost: the fleet, a report, the list of points, what capacity takes.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: fleet.sh [--machines N] [--points N] [--rounds N] [--work DIR]

--machines how many machines the vault has (default 200)
--points   how many recovery points each of them has (default 400)
--rounds   how often each question is asked (default 3)
--work     where the vault is put (default ./benchwork): two small files for each point; emptied afterwards

OBENGINE names the program; otherwise it is published from this checkout. Needs GNU time. Seconds, and the peak of memory.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
machines=200
points=400
rounds=3
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --machines) machines=$2; shift 2 ;;
        --points) points=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
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
PASSPHRASE=$passphrase "$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks" fleet "$work/vault" "$machines" "$points"

step() {
    local name=$1
    shift
    XDG_CACHE_HOME=$work/cache /usr/bin/time -f "$name: %e s, %U s user, %S s system, %M KiB" \
        "$OBENGINE" "$@" --vault "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"
}

# It ends with 1 where somebody should look.
fleet() {
    XDG_CACHE_HOME=$work/cache /usr/bin/time -f "fleet: %e s, %U s user, %S s system, %M KiB" "$OBENGINE" fleet "$work/vault" --quiet > "$work/output" || [[ $? == 1 ]]
}

for ((round = 1; round <= rounds; round++)); do
    fleet
    step "report" report "$work/report.html" --force
    step "points" points
    step "capacity" capacity
done

ls -l "$work/report.html" | awk '{ print "The page: " $5 " bytes" }'
