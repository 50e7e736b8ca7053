# What the guest does with LVM, for LvmGuestTests: makes groups and volumes, backs them up under all sorts of trouble, and reports what became
# of it. Each line of the report is a name and a value. /test has the program (obengine), a vault, its passphrase and freeze.sh.
export MSONLINEBACKUP_STATE=/var/lib/state
say() { echo "$*" > /dev/ttyS1; }
trap 'say "stopped at line $LINENO"; exit 1' ERR
set -E

ob() { /test/obengine/obengine "$@" --vault "${vault:-/tmp/vault}" --passphrase-file /test/passphrase; }

# What is there of a backup: volumes, mounts, records.
say_left() {
    lvs --noheadings --options lv_name > /tmp/volumes
    say "left.$1 $(grep -c obengine_snapshot /tmp/volumes || true) $(grep -c "$MSONLINEBACKUP_STATE/snapshots" /proc/mounts || true) $(ls -A "$MSONLINEBACKUP_STATE/snapshots" | wc -l)"
    say "foreign.$1 $(grep -c foreign /tmp/volumes || true)"
}

# backup NAME ARGUMENT...: its exit code, and all its lines but those of progress.
backup() {
    local name=$1 code=0
    shift
    ob backup --json "$@" > /tmp/output 2> /tmp/error < /dev/null || code=$?
    tell_backup "$name" "$code"
}
tell_backup() {
    local line
    say "code.$1 $2"
    while read -r line; do say "line.$1 $line"; done < <(grep -v '"type":"progress"' /tmp/output)
    while read -r line; do say "error.$1 $line"; done < /tmp/error
    say_left "$1"
}

# begin ARGUMENT...: begins a backup, and comes back when its snapshot is mounted; $job is its process. What a script begins in the background
# would ignore being stopped.
begin() {
    env --default-signal=INT /test/obengine/obengine backup --json --vault /tmp/vault --passphrase-file /test/passphrase "$@" > /tmp/output 2> /tmp/error < /dev/null &
    job=$!
    until grep -q "$MSONLINEBACKUP_STATE/snapshots" /proc/mounts || ! kill -0 $job; do sleep 0.1; done
}
finish() {
    local code=0
    wait "$job" || code=$?
    tell_backup "$1" "$code"
}

# make PATH KIND GROUP NAME SIZE...: a volume with a file system, mounted.
make() {
    lvcreate --yes --name "$4" "${@:5}" "$3"
    "mkfs.$2" -q "/dev/$3/$4"
    mkdir -p "$1"
    mount "/dev/$3/$4" "$1"
}

# There is no dmeventd, which would be waited for.
echo 'activation { monitoring = 0 }' > /etc/lvm/lvmlocal.conf
modprobe -a dm-snapshot dm-thin-pool xfs
cp -r /test/vault /tmp/vault
mkdir -p "$MSONLINEBACKUP_STATE/snapshots"
vgcreate data /dev/vdc
lvcreate --yes --type thin-pool --name pool --size 160M data
make /srv/ext4 ext4 data my-home --size 100M
make /srv/ext4/nested xfs data nested --size 304M
make /srv/thin ext4 data thin --virtualsize 100M --thinpool pool
lvcreate --yes --snapshot --size 64M --name foreign data/my-home
lvcreate --yes --snapshot --name foreign-thin data/thin
say "lvm $(lvs --version | sed -n 's/.*LVM version: *//p')"
say "kernel $(uname -r)"

# A program that keeps two files of each volume in step: whoever sees both at one moment sees one number, or the first ahead by one.
places=(/srv/ext4 /srv/ext4/nested /srv/thin)
(
    exec 9<> <(:)
    for ((n = 1; ; n++)); do
        for place in "${places[@]}"; do
            printf '%08d' $n 1<> "$place/a-first"
            printf '%08d' $n 1<> "$place/z-second"
        done
        read -rt 0.2 -u 9 || true
    done
) 2> /dev/null &
writer=$!
for place in "${places[@]}"; do head -c 3000000 /dev/urandom > "$place/filler"; done
for ((round = 1; round <= ROUNDS; round++)); do
    backup "step$round" --cross-mount-points --snapshot require /srv/ext4 /srv/thin
    ob restore latest --to "/tmp/step$round" < /dev/null
    for place in "${places[@]}"; do
        say "pair.$place $(cat "/tmp/step$round$place/a-first") $(cat "/tmp/step$round$place/z-second")"
        busybox cmp "$place/filler" "/tmp/step$round$place/filler" && say "filler.$place same"
    done
    rm -r "/tmp/step$round"
done
kill $writer
wait $writer || true
while read -r line; do say "point $line"; done < <(ob points --json < /dev/null | grep '"type":"point"')

# The vault's disk is full.
mkdir /tmp/small
mount -t tmpfs -o size=1m none /tmp/small
cp -r /test/vault /tmp/small/vault
vault=/tmp/small/vault backup full-vault /srv/ext4
umount /tmp/small

# Stopped, and killed; the next one tidies up.
head -c 20000000 /dev/urandom > /srv/ext4/large
begin /srv/ext4
kill -INT "$job"
finish stopped
begin /srv/ext4
kill -KILL "$job"
finish killed
backup after-kill /srv/ext4

# Stopped in the midst of lvcreate: it holds the file system still, and must come to its end.
mkdir /tmp/path
cat > /tmp/path/lvcreate << 'END'
#!/bin/bash
(sleep 0.1; kill -INT $PPID) &
exec /usr/sbin/lvcreate "$@"
END
chmod +x /tmp/path/lvcreate
PATH=/tmp/path:$PATH backup stopped-in-lvcreate /srv/ext4
say "suspended $(dmsetup info -c --noheadings --options name,suspended | grep -c Suspended || true)"
echo written > /srv/ext4/written
sync -f /srv/ext4
say 'written yes'

# No room for a snapshot.
vgcreate brimful /dev/vdd
make /srv/full ext4 brimful only --extents 100%FREE
echo a > /srv/full/a
backup no-room /srv/full
backup no-room-required --snapshot require /srv/full

# Room for a small one, which overflows while it is read: 40 MB are written to the volume, and it holds 20.
vgcreate tight /dev/vde
make /srv/tight ext4 tight only --extents 237
fill() { for ((i = 0; i < 150; i++)); do head -c 100000 /dev/urandom > "/srv/tight/$i"; done; }
read_by() { sed -n 's/^rchar: //p' "/proc/$1/io"; }
fill
sync -f /srv/tight
(cd /srv/tight && sha256sum [0-9]*) > /tmp/sums
begin /srv/tight
before=$(read_by "$job")
while kill -0 "$job" && (($(read_by "$job") < before + 3000000)); do sleep 0.01; done
kill -STOP "$job"
fill
head -c 40000000 /dev/urandom > /srv/tight/new
sync -f /srv/tight
echo 3 > /proc/sys/vm/drop_caches
say "overflow $(lvs --noheadings --options lv_attr tight | tr -d '\n')"
kill -CONT "$job"
finish overflowed
ob restore latest /srv/tight --to /tmp/tight < /dev/null || [[ $? == 3 ]]
(cd /tmp/tight/srv/tight && sha256sum [0-9]* 2> /dev/null || true) > /tmp/restored
say "overflow.restored $(wc -l < /tmp/restored) $(grep -cvxFf /tmp/sums /tmp/restored || true)"

# A volume that is held still is let go when who holds it is killed.
for place in /srv/ext4 /srv/ext4/nested; do
    bash -c 'exec 3> >(exec sh /test/freeze.sh "$1" 300 > /tmp/told); exec sleep 1000' agent "$place" &
    agent=$!
    until [[ $(cat /tmp/told 2> /dev/null) == frozen ]]; do sleep 0.1; done
    touch "$place/after-freeze" &
    toucher=$!
    until [[ $(ps -o stat= -p $toucher) == D* ]]; do kill -0 $toucher; sleep 0.1; done
    say "frozen.$place yes"
    kill -KILL $agent
    wait $toucher
    say "thawed.$place yes"
    rm /tmp/told
done
