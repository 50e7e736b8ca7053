#!/usr/bin/env bash
# Measures vaults in Blob Storage: beside a folder, over a long way, beside restic, and beside what the storage can do at all.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: blob.sh CORPUS [--rounds N] [--apart] [--restic PROGRAM] [--delay MS] [--work DIR] [--results FILE]

CORPUS     a folder, for example one made by corpora.sh
--rounds   how often each step runs (default 3); the order rotates from round to round
--apart    Azurite and the long way to it get the last processor for themselves, and everything that is measured the others,
           as if the storage were another machine; otherwise they share all
--restic   a restic that was built with its azure backend, and asks by http (the released ones insist on https, which would cost
           Azurite more): with http://AZURE_ENDPOINT_SUFFIX/ACCOUNT/CONTAINER in place of https://ACCOUNT.blob.SUFFIX/CONTAINER
--delay    how much later each request arrives over the long way, in ms (default 50)
--work     where vaults and restored files are put (default ./benchwork); emptied afterwards
--results  keeps the single measurements: place, step, round, wall, CPU, peak KiB, CPU of others, load

Places: folder; blob (Azurite, in memory); near (the same through a proxy) and far (through the proxy, with the delay); restic; plain
(the bytes of a folder vault sent to Azurite as they are, eight objects at once, and received again).
OBENGINE names the program; otherwise it is published from this checkout. Needs GNU time, node and npm. Times are seconds.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
source "$here/storage.sh"
rounds=3
places=(blob folder near far plain)
apart=
restic=
delay=50
work=$PWD/benchwork
results=
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --apart) apart=yes; shift ;;
        --restic) restic=$2; places+=(restic); shift 2 ;;
        --delay) delay=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        --results) results=$2; shift 2 ;;
        -*) usage ;;
        *) [[ -z $corpus ]] || usage; corpus=$1; shift ;;
    esac
done
[[ -d $corpus ]] || usage
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")

trap 'stop_storage; rm -rf "$work"' EXIT

measured=$work/measured
source=$work/source
folder=$work/folder/vault

if [[ -n $apart ]]; then
    last=$(($(nproc) - 1))
    ((last > 0)) || { echo '--apart needs two processors.' >&2; exit 1; }
    storage=(taskset -c "$last")
fi

publish "$here/.."
prepare_storage "$here/.."
[[ -z $apart ]] || taskset -cp "0-$((last - 1))" $$ > /dev/null

echo "$passphrase" > "$work/passphrase"
export RESTIC_PASSWORD_FILE=$work/passphrase

create() {
    case $1 in
        restic) "$restic" -q -o azure.access-tier=Hot init -r azure:vault:/ ;;
        *) "$OBENGINE" vault create "$vault" --passphrase-file "$work/passphrase" ;;
    esac
}

backup() {
    case $1 in
        restic) "$restic" -q -o azure.access-tier=Hot backup -r azure:vault:/ "$source" ;;
        *) "$OBENGINE" backup "$source" --vault "$vault" --passphrase-file "$work/passphrase" --quiet ;;
    esac
}

restore() {
    case $1 in
        restic) "$restic" -q -o azure.access-tier=Hot restore latest -r azure:vault:/ --target "$home/restored" ;;
        *) "$OBENGINE" restore latest --vault "$vault" --to "$home/restored" --passphrase-file "$work/passphrase" --quiet ;;
    esac
}

# The plain transfers tell their time themselves: nothing of a program's start is in it.
plain() { echo "plain $1 $round $(dotnet "$benchmarks" "${@:2}") 0 0 0 0" | tee -a "$measured" >&2; }

export OBENGINE work source restic
{ echo 'set -euo pipefail'; declare -f backup restore; echo '"$@"'; } > "$work/steps.sh"

describe_corpus "$corpus"
echo "  obengine: $("$OBENGINE" --version)"
[[ -z $restic ]] || echo "  restic: $("$restic" version)"
[[ -z $apart ]] || echo "  The storage has a processor of its own."
cp -a --sparse=always "$corpus" "$source"

for ((round = 1; round <= rounds; round++)); do
    find "$source" -type f -exec cat {} + > /dev/null
    for ((i = 0; i < ${#places[@]}; i++)); do
        place=${places[(i + round - 1) % ${#places[@]}]}
        export home=$work/$place
        export XDG_CACHE_HOME=$home/cache RESTIC_CACHE_DIR=$home/cache
        rm -rf "$home"
        mkdir -p "$home/cache"
        start_storage "$place"
        case $place in
            plain)
                # The bytes that a vault has.
                vault=$home/vault create folder > "$home/output"
                vault=$home/vault backup folder > "$home/output"
                plain initial upload "$home/vault" plain
                plain restore download plain
                ;;
            *)
                [[ $place != folder ]] || vault=$folder
                create "$place" > "$home/output" 2>&1 || { cat "$home/output" >&2; exit 1; }
                measure "$place" initial backup "$place"
                measure "$place" unchanged backup "$place"
                mkdir "$home/restored"
                measure "$place" restore restore "$place"
                check_restored "$place"
                ;;
        esac
        stop_storage
        rm -rf "$home"
    done
done

[[ -z $results ]] || cp "$measured" "$results"
"$here/table.sh" "$measured" blob folder plain ${restic:+restic}
"$here/table.sh" "$measured" near far
