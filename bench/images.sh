#!/usr/bin/env bash
# Measures backups of a virtual machine that runs under QEMU, and what is got back of its disk: all of it, or one file.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: images.sh [--gib N] [--great TIB] [--work DIR]

--gib   how large the machine's disk is, full of random data (default 2)
--great how large a disk of mostly holes is, in TiB (default 32): 20,000 places of it have something, of 4 KiB each
--work  where files are made (default ./benchwork): five times the disk; emptied afterwards

Takes qemu-system-x86_64, qemu-img and mkfs.ext4, GNU time, and root: the great disk is in memory (tmpfs). OBENGINE names the
program; otherwise it is published from this checkout. The machine has no guest: its monitor writes to its disk.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
gib=2
great=32
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --gib) gib=$2; shift 2 ;;
        --great) great=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
finish() {
    [[ -z ${machine:-} ]] || kill "$machine" 2> /dev/null || true
    ! mountpoint -q "$work/great" || umount "$work/great"
    rm -rf "$work"
}
trap finish EXIT
publish "$here/.."
export XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache MSONLINEBACKUP_STATE=$work/state MSONLINEBACKUP_SYSTEM_LOG=None
export OBENGINE_VAULT=$work/vault OBENGINE_PASSPHRASE=$passphrase
"$OBENGINE" vault create "$OBENGINE_VAULT" --quiet > "$work/output"

# run NAME BYTES COMMAND...: seconds, MB/s of that many bytes, memory; what the program says of bytes follows.
run() {
    local name=$1 bytes=$2
    shift 2
    sync -f "$work"
    /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" > "$work/output" 2> "$work/errors" || { cat "$work/output" "$work/errors" >&2; exit 1; }
    awk -v name="$name" -v bytes="$bytes" '{ printf "%-40s %6.2f s  %5.0f MB/s  %5.2f CPU s  %4.0f MiB\n", name, $1, bytes / 1e6 / $1, $2 + $3, $4 / 1024 }' "$work/time"
    sed -n 's/^\(size\|new\|asked\|frozen\) /    \1 /p' "$work/output"
}

# A disk of random data, and a machine that has it.
bytes=$((gib << 30))
head -c "$bytes" /dev/urandom > "$work/vda.raw"
qemu-img convert -f raw -O qcow2 "$work/vda.raw" "$work/vda.qcow2"
rm "$work/vda.raw"
qemu-system-x86_64 -S -accel tcg -display none -nodefaults -name vm1 \
    -blockdev "driver=file,node-name=f0,filename=$work/vda.qcow2" -blockdev driver=qcow2,node-name=n0,file=f0 -device virtio-blk-pci,drive=n0,id=vda \
    -qmp "unix:$work/qmp,server=on,wait=off" -qmp "unix:$work/monitor,server=on,wait=off" > "$work/said" &
machine=$!
until [[ -S $work/monitor ]]; do sleep 0.1; done

run "first backup of $gib GiB" "$bytes" "$OBENGINE" image backup "qmp:$work/qmp" --work "$work"
for ((i = 0; i < 10; i++)); do
    head -c 1M /dev/urandom > "$work/piece"
    python3 - "$work/monitor" "qemu-io -d /machine/peripheral/vda/virtio-backend \"write -s $work/piece $((i * gib * 100 + 3))M 1M\"" << 'END'
import json, socket, sys
monitor = socket.socket(socket.AF_UNIX)
monitor.connect(sys.argv[1])
lines = monitor.makefile("rw")
def ask(command, **arguments):
    lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    lines.flush()
    while "return" not in (answer := json.loads(lines.readline())):
        if "error" in answer: sys.exit(str(answer))
ask("qmp_capabilities")
ask("human-monitor-command", **{"command-line": sys.argv[2]})
END
done
run "10 MiB changed" 0 "$OBENGINE" image backup "qmp:$work/qmp" --work "$work"
run "unchanged" 0 "$OBENGINE" image backup "qmp:$work/qmp" --work "$work"
kill "$machine"
wait "$machine" || true
machine=
run "restore of the disk" "$bytes" "$OBENGINE" restore latest vm1/disks/vda.raw --machine vm1 --to "$work/restored"
qemu-img compare -f raw -F qcow2 "$work/restored/vm1/disks/vda.raw" "$work/vda.qcow2" > "$work/output" || { cat "$work/output" >&2; exit 1; }
rm -r "$work/restored" "$work/vda.qcow2"

# One file out of 20 GiB, of which a tenth is full.
mkdir "$work/files"
head -c 1M /dev/urandom > "$work/files/one"
for ((i = 0; i < 20; i++)); do head -c 100M /dev/urandom > "$work/files/$i"; done
truncate -s 20G "$work/vdb.raw"
mkfs.ext4 -q -d "$work/files" "$work/vdb.raw"
"$OBENGINE" image backup "$work/vdb.raw" --machine vm2 > "$work/output"
rm "$work/vdb.raw"
run "one file of 1 MiB out of 20 GiB" 0 "$OBENGINE" image restore latest vdb:0:/one --machine vm2 --to "$work/one"
cmp "$work/files/one" "$work/one/one"

# A disk that is mostly holes.
mkdir "$work/great"
mount -t tmpfs -o size=1G tmpfs "$work/great"
python3 - "$work/great/vdc.raw" "$great" << 'END'
import os, sys
length = int(sys.argv[2]) << 40
with open(sys.argv[1], "wb") as file:
    file.truncate(length)
    for i in range(20000):
        file.seek(length // 20000 * i & ~4095)
        file.write(os.urandom(4096))
END
run "$great TiB of holes, first" 0 "$OBENGINE" image backup "$work/great/vdc.raw" --machine vm3
run "$great TiB of holes, again" 0 "$OBENGINE" image backup "$work/great/vdc.raw" --machine vm3
run "$great TiB of holes, looked into" 0 "$OBENGINE" image ls latest vdc --machine vm3
