#!/usr/bin/env bash
# Makes the image of a disk that starts by itself: `tests/guest/disk.sh IMAGE FOLDER`. It has a boot loader, a partition table, and on its one
# partition (ext4 with a journal) the guest's system, its kernel, FOLDER's files in /srv, and started.sh as its first process. Nothing is
# mounted for that, nor is root needed. Ends with 69 where there can be no guest.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
made=$("$here/build.sh")
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the system leaves free is enough for a kernel and small files.
cp --sparse=always "$made/system.img" "$work/partition"
tune2fs -j "$work/partition" > /dev/null
cat > "$work/grub.cfg" << 'END'
serial --unit=0 --speed=115200
terminal_output serial
linux /boot/kernel console=ttyS0 quiet panic=-1 root=/dev/vda1
initrd /boot/initramfs
boot
END
install -m 755 "$here/started.sh" "$work/init"
{
    printf 'mkdir %s\n' /boot /boot/grub /srv
    printf 'write %s %s\n' "$made/kernel" /boot/kernel "$made/initramfs" /boot/initramfs "$work/grub.cfg" /boot/grub/grub.cfg "$work/init" /usr/sbin/init
    for file in "$2"/*; do printf 'write %s %s\n' "$file" "/srv/$(basename "$file")"; done
} > "$work/commands"
# It ends with 0 whatever it meets, and says its version where nothing is wrong.
debugfs -w -f "$work/commands" "$work/partition" 2>&1 | grep -v '^debugfs\|^Allocated inode' && exit 1
e2fsck -fn "$work/partition" > /dev/null 2>&1

# The loader, in the first sector up to the table and in what is free before the partition, and the table: one active partition of Linux.
first=2048
sectors=$(($(stat -c %s "$work/partition") / 512))
number() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
(($(stat -c %s "$made/grub-core.img") <= (first - 1) * 512))
rm -f "$1"
head -c 440 "$made/grub-boot.img" > "$1"
printf "\0\0\0\0\0\0\x80\xfe\xff\xff\x83\xfe\xff\xff$(number $first)$(number $sectors)" >> "$1"
truncate -s 510 "$1"
printf '\x55\xaa' >> "$1"
cat "$made/grub-core.img" >> "$1"
dd if="$work/partition" of="$1" bs=512 seek=$first conv=sparse,notrunc status=none
truncate -s $(((first + sectors) * 512)) "$1"
