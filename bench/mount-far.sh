#!/usr/bin/env bash
# Mounts recovery points of a vault in Blob Storage over a long way, one of them with a million files, and a file of 5 GB; and times what people do first.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: mount-far.sh CORPUS [--rounds N] [--files N] [--delay MS] [--work DIR]

CORPUS     a folder, for example one made by corpora.sh
--rounds   how often each step runs (default 3); medians are printed
--files    how many small files the great tree has (default 1000000)
--delay    how much later each request arrives (default 30)
--work     where files are made (default ./benchwork): 10 GB, in a file system with room for as many files; emptied afterwards

Takes root, for /dev/fuse, and node and npm, for Azurite. OBENGINE names the program; otherwise it is published from this
checkout. The 5 GB lie in a vault in a folder: counted is what is read from it. Times are seconds, memory is the highest
resident set in MiB.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
source "$here/storage.sh"
rounds=3
files=1000000
delay=30
work=$PWD/benchwork
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --files) files=$2; shift 2 ;;
        --delay) delay=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        -*) usage ;;
        *) [[ -z $corpus ]] || usage; corpus=$1; shift ;;
    esac
done
[[ -d $corpus ]] || usage
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'umount -l "$work/mnt" 2> /dev/null || true; stop_storage; rm -rf "$work"' EXIT
publish "$here/.."
prepare_storage "$here/.."
export OBENGINE_PASSPHRASE=$passphrase XDG_CACHE_HOME=$work/cache MSONLINEBACKUP_STATE=$work/state
mkdir "$work/mnt" "$work/near" "$work/five"

cp -a "$corpus" "$work/near/tree"
python3 - "$work/great" "$files" <<'PY'
import os, sys
for number in range(int(sys.argv[2])):
    folder = f"{sys.argv[1]}/{number // 50000:03}/{number // 1000:05}"
    if number % 1000 == 0:
        os.makedirs(folder)
    with open(f"{folder}/a file of a great tree {number:07}.dat", "wb") as file:
        if number % 10 == 0:
            file.write(b"%d" % number)
PY

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.3f", $1 - $2 }'; }
note() { echo "$1|$2" >> "$work/measured"; }
highest() { awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$mount/status"; }

# mount_point WHAT POINT VAULT FOLDER: serves until unmounted.
mount_point() {
    local start
    start=$(now)
    "$OBENGINE" mount "$2" "$work/mnt" --vault "$3" --quiet &
    mount=$!
    until ls "$work/mnt$4" > /dev/null 2>&1; do sleep 0.01; done
    [[ -z $1 ]] || note "$1" "$(since "$start")"
}

unmount() { umount "$work/mnt" && wait "$mount"; }

backup() { "$OBENGINE" backup "$1" --vault "$2" --json --quiet | sed -n 's/.*"pointId":"\([0-9a-f]*\)".*/\1/p' | tail -n 1; }

start_storage blob
near=$vault
"$OBENGINE" vault create "$near" > /dev/null
great=$(backup "$work/great" "$near")
tree=$(backup "$work/near" "$near")
serve dotnet "$benchmarks" delay "$server" "$delay"
far=$server/$account/vault
export AZURE_ENDPOINT_SUFFIX=${server#http://}

for ((round = 0; round < rounds; round++)); do
    mount_point "first ls" "$tree" "$far" "$work/near"
    start=$(now); ls -laR "$work/mnt$work/near" > /dev/null; note "ls -laR" "$(since "$start")"
    start=$(now); cp -r "$work/mnt$work/near/tree" "$work/copy"; note "cp -r" "$(since "$start")"
    note "memory" "$(highest)"
    unmount
    diff -r --no-dereference "$work/near/tree" "$work/copy" > /dev/null
    rm -rf "$work/copy"
    start=$(now); "$OBENGINE" restore "$tree" --vault "$far" --to "$work/copy" --quiet; note "restore" "$(since "$start")"
    rm -rf "$work/copy"
    mount_point "first ls, great tree" "$great" "$far" "$work/great"
    unmount
done

# All of the great tree, from a folder.
"$OBENGINE" vault create "$work/vault" > /dev/null
great=$(backup "$work/great" "$work/vault")
head -c 5368709120 /dev/urandom > "$work/five/large"
five=$(backup "$work/five" "$work/vault")
for ((round = 0; round < rounds; round++)); do
    mount_point "first ls, great tree in a folder" "$great" "$work/vault" "$work/great"
    start=$(now); ls -laR "$work/mnt$work/great" > /dev/null; note "ls -laR, great tree in a folder" "$(since "$start")"
    note "memory, great tree" "$(highest)"
    unmount
    mount_point "" "$five" "$work/vault" "$work/five"
    before=$(awk '/rchar/ { print $2 }' "/proc/$mount/io")
    tail -c 4096 "$work/mnt$work/five/large" | cmp - <(tail -c 4096 "$work/five/large")
    note "last 4 KiB of 5 GB, MiB read" "$(awk -v before="$before" '/rchar/ { printf "%.2f", ($2 - before) / 1048576 }' "/proc/$mount/io")"
    start=$(now); cat "$work/mnt$work/five/large" > /dev/null; note "cat 5 GB" "$(since "$start")"
    note "memory, 5 GB" "$(highest)"
    unmount
done

echo "$(find "$work/near" | wc -l) items; great tree: $(find "$work/great" | wc -l) items; $delay ms; $rounds rounds"
cut -d'|' -f1 "$work/measured" | awk '!seen[$0]++' | while read -r step; do
    printf '%-36s%12s\n' "$step" "$(awk -F'|' -v s="$step" '$1 == s { print $2 }' "$work/measured" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
done
