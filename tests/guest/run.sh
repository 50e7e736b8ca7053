#!/usr/bin/env bash
# Runs a scenario in the guest, and prints what it reports: `tests/guest/run.sh FOLDER [DISKS]`. The guest has FOLDER as /test; its scenario.sh is
# run, and reports by writing to /dev/ttyS1. DISKS (1) is how many empty disks of 1 GiB there are: /dev/vdc and on. What the guest's kernel and
# programs say goes to the standard error. Ends with 69 where there can be no guest, and with 1 where it did not come to its end.
# OB_GUEST_SECONDS (1200) is the most that it may take.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
made=$("$here/build.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin:/sbin

mkdir "$work/test"
cp -a "$1/." "$here/init.sh" "$work/test/"
mke2fs -q -t ext4 -O ^has_journal -d "$work/test" "$work/test.img" "$(($(du -sm "$work/test" | cut -f 1) * 5 / 4 + 16))M" > /dev/null
rm -rf "$work/test"

disk() { machine+=(-drive "if=none,id=$1,file=$2,format=raw,cache=unsafe,$3" -device "virtio-blk-pci,drive=$1"); }
machine=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine pc -accel tcg -cpu max -smp 1 -m 1024
    -kernel "$made/kernel" -initrd "$made/initramfs" -append 'console=ttyS0 quiet panic=-1'
    -chardev "file,id=console,path=$work/console" -serial chardev:console -chardev "file,id=report,path=$work/report" -serial chardev:report)
disk system "$made/system.img" snapshot=on
disk test "$work/test.img" snapshot=on
for ((i = 1; i <= ${2:-1}; i++)); do
    truncate -s 1G "$work/disk$i"
    disk "disk$i" "$work/disk$i" discard=unmap
done
: > "$work/report"
TMPDIR=$work timeout --kill-after=5 "${OB_GUEST_SECONDS:-1200}" "${machine[@]}" < /dev/null || true
tr -d '\r' < "$work/console" >&2
tr -d '\r' < "$work/report"
grep -q '^ended' "$work/report"
