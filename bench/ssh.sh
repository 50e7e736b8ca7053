#!/usr/bin/env bash
# What a vault of another machine costs: the store over the pipe beside plain ssh, and backups into ssh://… beside those into a folder.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: ssh.sh [--rounds N] [--mib N] [--rate RATE] [--work DIR]

--rounds   how often each step runs (default 5); medians are printed
--mib      how much random data there is, a multiple of 16 (default 1024)
--rate     over a line of so much, as tc takes it: 1gbit (default: the loopback interface as it is)
--work     where files are made (default /dev/shm): five times that much; emptied afterwards

Takes root and sshd, which runs on the loopback interface in a mount namespace of its own. OBENGINE names the program; otherwise
it is published from this checkout.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
rounds=5
mib=1024
work=/dev/shm
rate=
arguments=("$@")
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --mib) mib=$2; shift 2 ;;
        --rate) rate=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
if [[ -n $rate && -z ${OB_BENCH_NETWORK:-} ]]; then
    # The interface that is made slow is that of a namespace of its own.
    OB_BENCH_NETWORK=1 exec unshare -n "$BASH" "$0" "${arguments[@]}"
elif [[ -n $rate ]]; then
    ip link set lo up
    tc qdisc add dev lo root tbf rate "$rate" burst 256kb latency 50ms
fi
sshd=${OB_SSHD:-/usr/sbin/sshd}
[[ -x $sshd ]] || { echo 'sshd is missing: install openssh-server, or name one with OB_SSHD.' >&2; exit 1; }
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
publish "$here/.."
dotnet build "$here/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
benchmarks=$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks.dll
export OBENGINE_PASSPHRASE=$passphrase XDG_CONFIG_HOME=$work/config MSONLINEBACKUP_STATE=$work/state

# A server with keys of its own, whose folder in /run and whose account are there for it alone.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/user"
grep -q '^sshd:' /etc/passwd && cp /etc/passwd "$work/passwd" || { cat /etc/passwd; echo 'sshd:x:74:65534::/run/sshd:/usr/sbin/nologin'; } > "$work/passwd"
printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $work/host" "AuthorizedKeysFile $work/user.pub" 'StrictModes no' 'UsePAM no' 'PidFile none' \
    'PermitRootLogin yes' > "$work/sshd_config"
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$work/host.pub")" > "$work/known"
printf '%s\n' 'Host there' 'HostName 127.0.0.1' "Port $port" 'User root' "IdentityFile $work/user" 'IdentitiesOnly yes' "UserKnownHostsFile $work/known" > "$work/client"
unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind "$1" /etc/passwd && exec "$2" -D -e -f "$3" 2> "$4"' \
    sh "$work/passwd" "$sshd" "$work/sshd_config" "$work/log" &
server=$!
ssh=(ssh -F "$work/client" -T -o BatchMode=yes -- there)
until "${ssh[@]}" true 2> /dev/null; do kill -0 "$server"; sleep 0.1; done
export OBENGINE_SSH="ssh -F $work/client" OBENGINE_SSH_REMOTE=$OBENGINE

head -c "$((mib << 20))" /dev/urandom > "$work/random"
mkdir "$work/source"
ln "$work/random" "$work/source/random"

now() { date +%s.%N; }
note() { echo "$1|$2" >> "$work/measured"; }
timed() {
    local what=$1 start
    shift
    start=$(now)
    "$@" > "$work/output"
    note "$what" "$(echo "$(now) $start" | awk '{ printf "%.3f", $1 - $2 }')"
}

to_null() { "${ssh[@]}" 'cat > /dev/null' < "$work/random"; }
to_file() { "${ssh[@]}" "cat > $work/there && sync $work/there" < "$work/random"; }
from_file() { "${ssh[@]}" "cat $work/random" > /dev/null; }
restore() { "$OBENGINE" restore latest --vault "$1" --to "$work/restored" --quiet; }
transfer() { dotnet "$benchmarks" "$@" "${ssh[@]}" "$OBENGINE serve store --stdio --vault $work/store"; }

to_null
for ((round = 0; round < rounds; round++)); do
    timed 'ssh cat > /dev/null' to_null
    timed 'ssh cat > file, sync' to_file
    rm "$work/there"
    timed 'ssh cat file' from_file
    mkdir "$work/store"
    note 'store, create' "$(transfer push "$((mib / 16))")"
    note 'store, read' "$(transfer pull "$((mib / 16))")"
    rm -rf "$work/store"

    "$OBENGINE" vault create "$work/near" --owner-file "$work/owner-near" > /dev/null
    timed 'backup into a folder' "$OBENGINE" backup "$work/source" --vault "$work/near" --quiet
    timed 'restore from a folder' restore "$work/near"
    rm -rf "$work/restored" "$work/near" "$work/owner-near"
    "$OBENGINE" vault create "ssh://there$work/far" --owner-file "$work/owner-far" > /dev/null
    timed 'backup into ssh://' "$OBENGINE" backup "$work/source" --vault "ssh://there$work/far" --quiet
    timed 'restore from ssh://' restore "ssh://there$work/far"
    cmp "$work/random" "$work/restored$work/source/random"
    rm -rf "$work/restored" "$work/far" "$work/owner-far"
done

echo "$mib MiB of random data; $rounds rounds; $(nproc) processors; $(stat -f -c %T "$work"); ${rate:-no limit}; $(ssh -V 2>&1 | cut -d, -f1)"
sort -s -t'|' -k1,1 "$work/measured" | python3 -c '
import statistics, sys
seconds = {}
for line in sys.stdin:
    what, value = line.rsplit("|", 1)
    seconds.setdefault(what, []).append(float(value))
print("| step | median s | from | to | MiB/s |\n| --- | --- | --- | --- | --- |")
for what, values in seconds.items():
    middle = statistics.median(values)
    print(f"| {what} | {middle:.2f} | {min(values):.2f} | {max(values):.2f} | {'"$mib"' / middle:.0f} |")'
