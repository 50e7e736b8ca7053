#!/usr/bin/env bash
# Runs this program, restic and borg on one corpus in turn and prints medians and ratios.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: compare.sh CORPUS [--rounds N] [--tools "obengine restic borg"] [--work DIR] [--results FILE]

CORPUS     a folder, for example one made by corpora.sh. If it holds the folders before and after, then these are
           the two states; otherwise the second state is made by edit.sh, which changes one percent.
--rounds   how often every tool runs each step (default 5); the order rotates from round to round
--work     where vaults, repositories, caches and restored files are put (default ./benchwork); emptied afterwards
--results  keeps the single measurements: tool, step, round, wall, CPU, peak KiB, CPU of others, load

OBENGINE, RESTIC and BORG name the programs; otherwise obengine is published from this checkout, and restic and borg
are looked up in PATH. Needs GNU time. Times are seconds; sizes of vaults are `du -sb`.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
rounds=5
tools=(obengine restic borg)
work=$PWD/benchwork
results=
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --tools) read -r -a tools <<< "$2"; shift 2 ;;
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
trap 'rm -rf "$work"' EXIT
measured=$work/measured
source=$work/source

has() { [[ " ${tools[*]} " == *" $1 "* ]]; }
RESTIC=${RESTIC:-restic}
BORG=${BORG:-borg}
! has obengine || publish "$here/.."

echo "$passphrase" > "$work/passphrase"
export RESTIC_PASSWORD_FILE=$work/passphrase BORG_PASSPHRASE=$passphrase

version() {
    case $1 in
        obengine) "$OBENGINE" --version ;;
        restic) "$RESTIC" version ;;
        borg) "$BORG" --version ;;
    esac
}

# Every tool has a home of its own for its vault or repository and its cache, new in every round.
enter() {
    export home=$work/$1
    export XDG_CACHE_HOME=$home/cache RESTIC_CACHE_DIR=$home/cache BORG_BASE_DIR=$home/cache
}

create() {
    case $1 in
        obengine) "$OBENGINE" vault create "$home/vault" --passphrase-file "$work/passphrase" ;;
        restic) "$RESTIC" -q init -r "$home/vault" ;;
        borg) "$BORG" init -e repokey-blake2 "$home/vault" ;;
    esac
}

backup() {
    case $1 in
        obengine) "$OBENGINE" backup "$source" --vault "$home/vault" --passphrase-file "$work/passphrase" --quiet ;;
        restic) "$RESTIC" -q backup -r "$home/vault" "$source" ;;
        borg) "$BORG" create "$home/vault::$2" "$source" ;;
    esac
}

restore() {
    case $1 in
        obengine) "$OBENGINE" restore latest --vault "$home/vault" --to "$home/restored" --passphrase-file "$work/passphrase" --quiet ;;
        restic) "$RESTIC" -q restore latest -r "$home/vault" --target "$home/restored" ;;
        borg) cd "$home/restored" && "$BORG" extract "$home/vault::changed" ;;
    esac
}

# This program's restore ends when everything is on the medium; the others leave that to the system.
settle() { sync -f "$home/restored"; }

verify() {
    case $1 in
        obengine) "$OBENGINE" verify --vault "$home/vault" --read-data --passphrase-file "$work/passphrase" --quiet ;;
        restic) "$RESTIC" -q check --read-data -r "$home/vault" ;;
        borg) "$BORG" check --verify-data "$home/vault" ;;
    esac
}

stored() { echo "$1 $2 $round $(du -sb "$home/vault" | cut -f1) 0 0 0 0" >> "$measured"; }

# The timed steps run in a shell of their own, which finds the names below in its environment.
export OBENGINE=${OBENGINE:-} RESTIC BORG work source
{ echo 'set -euo pipefail'; declare -f backup restore settle verify; echo '"$@"'; } > "$work/steps.sh"

first=$corpus
second=
if [[ -d $corpus/before && -d $corpus/after ]]; then
    first=$corpus/before
    second=$corpus/after
fi

describe_corpus "$first"
for tool in "${tools[@]}"; do echo "  $tool: $(version "$tool" | head -n 1)"; done

for ((round = 1; round <= rounds; round++)); do
    order=()
    for ((i = 0; i < ${#tools[@]}; i++)); do order+=("${tools[(i + round - 1) % ${#tools[@]}]}"); done

    rm -rf "$source"
    cp -a --sparse=always "$first" "$source"
    find "$source" -type f -exec cat {} + > /dev/null
    for tool in "${order[@]}"; do
        enter "$tool"
        rm -rf "$home"
        mkdir -p "$home/cache"
        create "$tool" > "$home/output" 2>&1 || { cat "$home/output" >&2; exit 1; }
        measure "$tool" initial backup "$tool" initial
        stored "$tool" stored
        measure "$tool" unchanged backup "$tool" unchanged
    done

    if [[ -n $second ]]; then
        rm -rf "$source"
        cp -a --sparse=always "$second" "$source"
    else
        "$here/edit.sh" "$source" "$round" > /dev/null
    fi
    find "$source" -type f -exec cat {} + > /dev/null
    for tool in "${order[@]}"; do
        enter "$tool"
        measure "$tool" changed backup "$tool" changed
        stored "$tool" stored-changed
        mkdir "$home/restored"
        measure "$tool" restore restore "$tool"
        measure "$tool" settle settle
        check_restored "$tool"
        rm -rf "$home/restored"
        measure "$tool" verify verify "$tool"
        rm -rf "$home"
    done
done

[[ -z $results ]] || cp "$measured" "$results"
"$here/table.sh" "$measured" "${tools[@]}"
