#!/usr/bin/env bash
# Builds a small Debian guest for what the machine's own kernel may not have, such as LVM, and prints the folder with its kernel, initramfs,
# system.img and boot loader (grub-boot.img, grub-core.img): `tests/guest/build.sh`. Its packages come from the machine's apt sources, and are never installed here. What was built is kept
# below TMPDIR for the next time. Ends with 69 where the machine lacks something, and says what.
set -euo pipefail
cannot() {
    echo "$*" >&2
    exit 69
}

[[ $(uname -sm) == 'Linux x86_64' ]] || cannot 'The guest is one of x86_64 Linux.'
PATH=$PATH:/usr/sbin:/sbin
# The machine that runs the guest, by name and package.
for pair in qemu-system-x86_64:qemu-system-x86 mke2fs:e2fsprogs cpio:cpio depmod:kmod; do
    command -v "${pair%:*}" > /dev/null && continue
    { [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null && apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${pair#*:}"; } > /dev/null 2>&1 || true
    command -v "${pair%:*}" > /dev/null || cannot "'${pair%:*}' is not installed, and could not be (package ${pair#*:})."
done
command -v apt-get > /dev/null && command -v dpkg > /dev/null || cannot 'There is no apt, whose packages the guest is made of.'

packages=(linux-image-cloud-amd64 busybox-static lvm2 thin-provisioning-tools udev kmod mount util-linux xfsprogs e2fsprogs bash coreutils grep sed procps grub-pc-bin libstdc++6 libssl3 zlib1g)
made=${TMPDIR:-/tmp}/obengine-guest-$(id -u)-$(sha256sum < "${BASH_SOURCE[0]}" | cut -c 1-12)
mkdir -p -m 700 "$made"
[[ -O $made && ! -L $made ]] || cannot "'$made' belongs to somebody else."
exec 9> "$made/building"
flock 9
if [[ -e $made/ready ]]; then
    echo "$made"
    exit
fi

work=$made/work
rm -rf "$work"
mkdir -p "$work"/{debs/partial,root/usr/{bin,sbin,lib,lib64},early/{bin,dev,proc,sys,new}}
trap 'rm -rf "$work"' EXIT

# All that these packages need, as though nothing were installed here.
: > "$work/nothing"
apt=(apt-get -qq -y -o Dir::State::status="$work/nothing" -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User= -o Debug::NoLocking=1 --no-install-recommends)
"${apt[@]}" --download-only install "${packages[@]}" > "$work/log" 2>&1 || {
    [[ $(id -u) == 0 ]] && apt-get update -qq > "$work/log" 2>&1 && "${apt[@]}" --download-only install "${packages[@]}" > "$work/log" 2>&1
} || cannot "The guest's packages cannot be had: $(tail -n 3 "$work/log")"

root=$work/root
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
for package in "$work"/debs/*.deb; do
    dpkg --fsys-tarfile "$package" | tar -x --no-same-owner --keep-directory-symlink -C "$root" --exclude='./usr/share/*' --exclude='./usr/lib/python*' --exclude='./var/*'
done
mkdir -p "$root"/{dev,proc,sys,run,tmp,mnt,var/lib,etc,test}
ln -sf bash "$root/bin/sh"
ln -s ../run "$root/var/run"
echo 'root:x:0:0:root:/root:/bin/bash' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
: > "$root/etc/fstab"
printf '%s\n' 00000000000000000000000000000017 > "$root/etc/machine-id"
ldconfig -r "$root" > /dev/null 2>&1 || cannot "The guest's libraries cannot be listed (ldconfig)."

kernel=$(basename "$(echo "$root"/lib/modules/*)")
depmod -b "$root" "$kernel"
cp "$root/boot/vmlinuz-$kernel" "$made/kernel"
rm -rf "$root/boot"

# The boot loader of a disk that starts by itself: it has what reads the rest of itself from the first partition.
cp "$root/usr/lib/grub/i386-pc/boot.img" "$made/grub-boot.img"
"$root"/lib64/ld-linux-x86-64.so.* --library-path "$root/lib/x86_64-linux-gnu" "$root/usr/bin/grub-mkimage" -O i386-pc -d "$root/usr/lib/grub/i386-pc" \
    -p '(hd0,msdos1)/boot/grub' -o "$made/grub-core.img" biosdisk part_msdos ext2 normal linux serial terminal

# The initramfs has what finds the system's disk, no more.
early=$work/early
cp "$root/bin/busybox" "$early/bin/busybox"
: > "$early/modules"
for module in virtio_pci virtio_blk ext4; do
    modprobe -d "$root" -S "$kernel" --show-depends "$module" 2> /dev/null | sed -n 's/^insmod //p' | while read -r path _; do
        name=$(basename "$path")
        grep -qx "$name" "$early/modules" && continue
        cp "$path" "$early/$name"
        echo "$name" >> "$early/modules"
    done
done
cat > "$early/init" << 'END'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
while read -r module; do /bin/busybox insmod "/$module"; done < /modules
wait_for() { while [ ! -b "$1" ]; do /bin/busybox usleep 10000; done; }
root=$(/bin/busybox sed -n 's/.*root=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ "$root" ]; then
    # A disk that starts by itself.
    init=/sbin/init
    wait_for "$root"
    /bin/busybox mount -t ext4 "$root" /new
else
    init=/test/init.sh
    wait_for /dev/vdb
    /bin/busybox mount -t ext4 /dev/vda /new && /bin/busybox mount -t ext4 -o ro /dev/vdb /new/test
fi
for folder in dev proc sys; do /bin/busybox mount -o move "/$folder" "/new/$folder"; done
exec /bin/busybox switch_root /new "$init"
END
chmod 755 "$early/init"
(cd "$early" && find . | cpio --quiet -o -H newc | gzip -1) > "$made/initramfs"

size=$(($(du -sm "$root" | cut -f 1) * 5 / 4 + 64))
rm -f "$made/system.img"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$made/system.img" "${size}M" > /dev/null
touch "$made/ready"
echo "$made"
