#!/usr/bin/env bash
# Measures what a long history costs: obengine on vaults with few and with many recovery points, and restores over what is there.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: history.sh CORPUS [--rounds N] [--points N] [--work DIR]

CORPUS     a folder, for example one made by corpora.sh
--rounds   how often each step is run (default 5), in turn
--points   how many recovery points the older vault has (default 2000)
--work     where vaults and restored files are put (default ./benchwork); emptied afterwards

OBENGINE names the program; otherwise it is published from this checkout. Needs GNU time. Times are seconds, medians.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
rounds=5
points=2000
work=$PWD/benchwork
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --points) points=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        -*) usage ;;
        *) [[ -z $corpus ]] || usage; corpus=$1; shift ;;
    esac
done
[[ -d $corpus ]] || usage
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
publish "$here/.."
dotnet build "$here/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
benchmarks=$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks

measured=$work/measured
source=$work/source
home=$work
echo "$passphrase" > "$work/passphrase"
export OBENGINE work source home PASSPHRASE=$passphrase
cat > "$work/steps.sh" <<'TEXT'
set -euo pipefail
open=(--passphrase-file "$work/passphrase" --quiet)
backup() { "$OBENGINE" backup "$source" --vault "$1" "${open[@]}"; }
points() { "$OBENGINE" points --vault "$1" "${open[@]}"; }
verify() { "$OBENGINE" verify --vault "$1" "${open[@]}"; }
restore() { "$OBENGINE" restore latest --vault "$1" --to "$2" --conflict overwrite "${open[@]}"; }
original() { "$OBENGINE" restore latest --vault "$1" --to / --conflict overwrite "${open[@]}"; }
"$@"
TEXT

describe_corpus "$corpus"
cp -a --sparse=always "$corpus" "$source"
grow() {
    "$OBENGINE" vault create "$work/$1" --passphrase-file "$work/passphrase" --quiet > "$work/output"
    "$benchmarks" grow "$work/$1" "$source" "$1"
}
grow 1
grow 2
grow 20
grow "$points"
for ((round = 1; round <= rounds; round++)); do
    measure 1 verify verify "$work/1"
    measure 20 verify verify "$work/20"
    for count in 2 "$points"; do
        measure "$count" points points "$work/$count"
        measure "$count" backup backup "$work/$count"
    done

    measure 20 restore-anew restore "$work/20" "$work/restored"
    measure 20 restore-over restore "$work/20" "$work/restored"
    rm -rf "$work/restored"
    measure 20 restore-in-place original "$work/20"
done

awk '
    function median(values,    v, n, i, j, t) {
        n = split(values, v, " ")
        for (i = 2; i <= n; i++) { for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t } }
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    { key = sprintf("%-18s %5s points", $2, $1); wall[key] = wall[key] " " $4; cpu[key] = cpu[key] " " $5 }
    !(key in known) { known[key] = 1; order[++count] = key }
    END { for (i = 1; i <= count; i++) printf "%s %8.2f s %8.2f CPU s\n", order[i], median(wall[order[i]]), median(cpu[order[i]]) }' "$measured"
