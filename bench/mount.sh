#!/usr/bin/env bash
# Mounts a recovery point with this program, restic and borg, and times what people do with a mount.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: mount.sh CORPUS [--rounds N] [--tools "obengine restic borg"] [--work DIR]

CORPUS     a folder, for example one made by corpora.sh; a file of 300 MB that does not compress is put beside it
--rounds   how often every tool runs each step (default 3); medians are printed
--work     where vaults and repositories are put (default ./benchwork); emptied afterwards

Takes root, for /dev/fuse. OBENGINE, RESTIC and BORG name the programs; otherwise obengine is published from this checkout,
and restic and borg are looked up in PATH. borg needs its binding to FUSE (pyfuse3 or llfuse). Times are seconds, those of
single reads milliseconds; memory is the highest resident set, in MiB.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
rounds=3
tools=(obengine restic borg)
work=$PWD/benchwork
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --tools) read -r -a tools <<< "$2"; shift 2 ;;
        --work) work=$2; shift 2 ;;
        -*) usage ;;
        *) [[ -z $corpus ]] || usage; corpus=$1; shift ;;
    esac
done
[[ -d $corpus ]] || usage
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'umount -l "$work/mnt" 2> /dev/null || true; rm -rf "$work"' EXIT
has() { [[ " ${tools[*]} " == *" $1 "* ]]; }
RESTIC=${RESTIC:-restic}
BORG=${BORG:-borg}
! has obengine || publish "$here/.."
echo "$passphrase" > "$work/passphrase"
export OBENGINE_PASSPHRASE=$passphrase RESTIC_PASSWORD_FILE=$work/passphrase BORG_PASSPHRASE=$passphrase
export RESTIC_CACHE_DIR=$work/rc BORG_BASE_DIR=$work/bb XDG_CONFIG_HOME=$work/config MSONLINEBACKUP_STATE=$work/state

mkdir -p "$work/src" "$work/mnt"
cp -a "$corpus" "$work/src/tree"
head -c 300000000 /dev/urandom > "$work/src/large"
for tool in "${tools[@]}"; do
    case $tool in
        obengine) "$OBENGINE" vault create "$work/o" > /dev/null; "$OBENGINE" backup "$work/src" --vault "$work/o" --quiet ;;
        restic) "$RESTIC" -q -r "$work/r" init > /dev/null; "$RESTIC" -q -r "$work/r" backup "$work/src" ;;
        borg) "$BORG" init -e repokey-blake2 "$work/b" 2> /dev/null; "$BORG" create "$work/b::a" "$work/src" ;;
    esac
done

serve() {
    case $1 in
        obengine) exec "$OBENGINE" mount latest "$work/mnt" --vault "$work/o" --quiet ;;
        restic) exec "$RESTIC" -q -r "$work/r" mount "$work/mnt" > /dev/null 2>&1 ;;
        borg) exec "$BORG" mount -f "$work/b::a" "$work/mnt" > /dev/null 2>&1 ;;
    esac
}

rootof() {
    case $1 in
        restic) echo "$work/mnt/snapshots/latest$work/src" ;;
        *) echo "$work/mnt$work/src" ;;
    esac
}

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.3f", $1 - $2 }'; }
note() { echo "$1 $2 $3" >> "$work/measured"; }

# restore TOOL STEP PATH: a restore of what is at a path, for comparison.
restore() {
    local start
    mkdir "$work/copy"
    sync
    start=$(now)
    case $1 in
        obengine) "$OBENGINE" restore latest "$3" --vault "$work/o" --to "$work/copy" --quiet ;;
        restic) "$RESTIC" -q -r "$work/r" restore latest --target "$work/copy" --include "$3" ;;
        borg) (cd "$work/copy" && "$BORG" extract "$work/b::a" "${3#/}") ;;
    esac
    note "$1" "$2" "$(since "$start")"
    rm -rf "$work/copy"
}

# Single reads of 4 KiB anywhere in the large file; the second time it is all in memory.
reads() {
    python3 - "$1" <<'PY'
import os, random, sys, time
f = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(f).st_size
random.seed(1)
at = [random.randrange(0, size - 4096) for _ in range(200)]
def run():
    times = []
    for offset in at:
        t = time.perf_counter()
        os.pread(f, 4096, offset)
        times.append((time.perf_counter() - t) * 1000)
    times.sort()
    return times
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_RANDOM)
cold = run()
warm = run()
print(f"{cold[100]:.3f} {cold[190]:.3f} {warm[100]:.3f}")
PY
}

for ((round = 0; round < rounds; round++)); do
    for tool in "${tools[@]}"; do
        root=$(rootof "$tool")
        start=$(now)
        serve "$tool" &
        server=$!
        until ls "$root" > /dev/null 2>&1; do sleep 0.01; done
        note "$tool" "first ls" "$(since "$start")"
        start=$(now); ls -laR "$root" > /dev/null; note "$tool" "ls -laR" "$(since "$start")"
        read -r cold late warm <<< "$(reads "$root/large")"
        note "$tool" "4 KiB cold, median ms" "$cold"; note "$tool" "4 KiB cold, 95 % ms" "$late"; note "$tool" "4 KiB warm, median ms" "$warm"
        sync; echo 1 > /proc/sys/vm/drop_caches; cat "$work"/o/stores/*/packs/*/* "$work"/r/data/*/* "$work"/b/data/*/* > /dev/null 2>&1 || true
        start=$(now); cat "$root/large" > /dev/null; note "$tool" "cat 300 MB" "$(since "$start")"
        mkdir "$work/copy"
        sync; start=$(now); cp -r "$root/tree" "$work/copy/"; note "$tool" "cp -r" "$(since "$start")"
        diff -r --no-dereference "$work/src/tree" "$work/copy/tree" > /dev/null
        rm -rf "$work/copy"
        note "$tool" "memory MiB" "$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")"
        umount "$work/mnt" || umount -l "$work/mnt"
        wait "$server" || true
        restore "$tool" "restore of all" "$work/src"
        restore "$tool" "restore of the tree" "$work/src/tree"
        restore "$tool" "restore of 300 MB" "$work/src/large"
    done
done

printf '%-24s' step; printf '%12s' "${tools[@]}"; echo
for step in "first ls" "ls -laR" "4 KiB cold, median ms" "4 KiB cold, 95 % ms" "4 KiB warm, median ms" "cat 300 MB" "cp -r" "restore of 300 MB" "restore of the tree" "restore of all" "memory MiB"; do
    printf '%-24s' "$step"
    for tool in "${tools[@]}"; do
        value=$(awk -v t="$tool" -v s="$step" 'index($0, t " " s " ") == 1 { print $NF }' "$work/measured" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
        printf '%12s' "$value"
    done
    echo
done
echo "items: $(find "$work/src" | wc -l)"
