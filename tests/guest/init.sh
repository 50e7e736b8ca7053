#!/bin/bash
# The first process of the guest: makes it a usual machine, runs the scenario, and switches it off.
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 MSONLINEBACKUP_SYSTEM_LOG=None
exec > /dev/console 2>&1 < /dev/null
mount -t tmpfs none /run
mount -t tmpfs none /tmp
mkdir -p /run/lock /run/lvm
ln -sfn /proc/self/fd /dev/fd
/usr/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --subsystem-match=block
udevadm settle
bash /test/scenario.sh
echo "ended $?" > /dev/ttyS1
sync
busybox poweroff -f
