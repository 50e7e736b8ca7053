#!/bin/bash
# The first process of a disk that starts by itself: says on the console that it runs, from which disk, how often that was and what is in
# /srv/known, and then does what it is told over /dev/ttyS1. Each line from there is a command; its output goes back, and then a line with
# "ended" and its exit code.
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C
exec > /dev/console 2>&1 < /dev/null
mount -t tmpfs none /run
mount -t tmpfs none /tmp
echo $(($(cat /var/starts 2> /dev/null || echo 0) + 1)) > /var/starts
sync
echo "MACHINE STARTED root=$(findmnt --noheadings --output SOURCE,FSTYPE / | tr -s ' ' ,) starts=$(cat /var/starts) known=$(sha256sum < /srv/known | cut -c 1-64)"
stty -F /dev/ttyS1 raw -echo
exec 3<> /dev/ttyS1
echo ready >&3
while read -r line <&3; do
    code=0
    (eval "$line") >&3 2>&3 || code=$?
    echo "ended $code" >&3
done
