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
[[ -x /usr/bin/time ]] || { echo 'GNU time is missing: install the package "time".' >&2; exit 1; }
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
measured=$work/measured
source=$work/source

has() { [[ " ${tools[*]} " == *" $1 "* ]]; }
RESTIC=${RESTIC:-restic}
BORG=${BORG:-borg}
if has obengine && [[ -z ${OBENGINE:-} ]]; then
    # A lock file of its own: the packages for one runtime are no part of the checkout's.
    dotnet publish "$here/../src/MSOnlineBackup.Host" -c Release -r linux-x64 -o "$here/../output/obengine" -v quiet --nologo >&2
    OBENGINE=$here/../output/obengine/obengine
fi

# One passphrase for all. Progress is off everywhere: a terminal must not be what is measured.
echo 'correct horse battery staple' > "$work/passphrase"
export RESTIC_PASSWORD_FILE=$work/passphrase BORG_PASSPHRASE='correct horse battery staple'

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

verify() {
    case $1 in
        obengine) "$OBENGINE" verify --vault "$home/vault" --read-data --passphrase-file "$work/passphrase" --quiet ;;
        restic) "$RESTIC" -q check --read-data -r "$home/vault" ;;
        borg) "$BORG" check --verify-data "$home/vault" ;;
    esac
}

busy() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat; }

# measure TOOL STEP COMMAND...: the command is a function above, run by a shell of its own under GNU time.
measure() {
    local tool=$1 step=$2 before after
    shift 2
    sync -f "$work"
    before=$(busy)
    if ! /usr/bin/time -o "$home/time" -f '%e %U %S %M' "$BASH" "$work/steps.sh" "$@" > "$home/output" 2>&1; then
        echo "$tool failed in step $step, round $round:" >&2
        cat "$home/output" >&2
        exit 1
    fi
    after=$(busy)
    awk -v tool="$tool" -v step="$step" -v round="$round" -v busy="$before $after" -v load="$(cut -d' ' -f1 /proc/loadavg)" '
        NF == 4 {
            split(busy, b, " ")
            others = b[2] - b[1] - $2 - $3
            if (others < 0) { others = 0 }
            printf "%s %s %d %.2f %.2f %d %.2f %s\n", tool, step, round, $1, $2 + $3, $4, others, load
        }' "$home/time" >> "$measured"
    tail -n 1 "$measured" >&2
}

stored() { echo "$1 $2 $round $(du -sb "$home/vault" | cut -f1) 0 0 0 0" >> "$measured"; }

# What a restore must give back: the content by diff, the rest by name, kind, mode, owner, time and target.
attributes() { (cd "$1" && find . -printf '%P\t%y\t%m\t%U:%G\t%l' '(' -type d -printf '\n' -o -type l -printf '\n' -o -printf '\t%T@\n' ')' | sort); }
check_restored() {
    local restored=$home/restored$source
    if ! diff -r --no-dereference "$source" "$restored" > "$work/difference" 2>&1 ||
        ! diff <(attributes "$source") <(attributes "$restored") > "$work/difference" 2>&1; then
        echo "$1 did not restore what was backed up (round $round):" >&2
        head -n 20 "$work/difference" >&2
        exit 1
    fi
}

# The timed steps run in a shell of their own, which finds the names below in its environment.
export OBENGINE=${OBENGINE:-} RESTIC BORG work source
{ echo 'set -euo pipefail'; declare -f backup restore verify; echo '"$@"'; } > "$work/steps.sh"

first=$corpus
second=
if [[ -d $corpus/before && -d $corpus/after ]]; then
    first=$corpus/before
    second=$corpus/after
fi

find "$first" -type f -printf '%s\n' | awk -v name="$(basename "$corpus")" -v rounds="$rounds" -v processors="$(nproc)" -v disk="$(stat -f -c %T "$work")" '
    { bytes += $1 }
    END { printf "Corpus %s: %d files, %.1f MiB; %d rounds; %d processors; %s\n", name, NR, bytes / 1048576, rounds, processors, disk }'
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
        check_restored "$tool"
        rm -rf "$home/restored"
        measure "$tool" verify verify "$tool"
        rm -rf "$home"
    done
done

[[ -z $results ]] || cp "$measured" "$results"
"$here/table.sh" "$measured" "${tools[@]}"
