#!/usr/bin/env bash
# Measures what a server takes that has many machines back up at once: its peak of memory, and its processor time beside that of all agents.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: remote.sh [--machines N] [--at-once N] [--mib N] [--work DIR]

--machines how many machines there are: folders of this one, with a script in the place of ssh (default 20)
--at-once  how many of them work at once (default: all)
--mib      how much random data each has (default 128)
--work     where files are made (default ./benchwork): twice machines x mib; emptied afterwards

Takes root: each machine has a mount namespace of its own. OBENGINE names the program; otherwise it is published from this checkout.
The memory is the peak of the server's own process (VmHWM).
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
machines=20
at_once=
mib=128
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --machines) machines=$2; shift 2 ;;
        --at-once) at_once=$2; shift 2 ;;
        --mib) mib=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
publish "$here/.."
export XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache MSONLINEBACKUP_STATE=$work/state MSONLINEBACKUP_SYSTEM_LOG=None

# The machine's name comes after '--'; what it is to run after that. Its key is one for all.
key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU'
cat > "$work/ssh" <<TEXT
#!/bin/sh
while [ "\$1" != -- ]; do
  case \$1 in
    UserKnownHostsFile=*) known=\${1#*=\"}; known=\${known%\"} ;;
    HostKeyAlias=*) alias=\${1#*=} ;;
    PreferredAuthentications=none) asked=1 ;;
  esac
  shift
done
if [ -n "\$asked" ]; then echo "\$alias $key" > "\$known"; exit 255; fi
export HOME=$work/machines/\$2 XDG_CACHE_HOME=$work/machines/\$2/cache XDG_CONFIG_HOME=$work/machines/\$2/config MSONLINEBACKUP_STATE=$work/machines/\$2/state
cd "\$HOME" && exec unshare -m sh -c 'mount --bind "\$HOME/data" $work/source && exec sh -c "\$1"' sh "\$3"
TEXT
chmod 755 "$work/ssh"
export OBENGINE_SSH=$work/ssh

# An agent that is the same program: what is put on machines is measured elsewhere.
mkdir -p "$work/package" "$work/source"
printf '#!/bin/sh\n[ "$1" != --version ] || exec echo 0.1.0\nexec "%s" "$@"\n' "$(realpath "$OBENGINE")" > "$work/package/obengine"
chmod 755 "$work/package/obengine"
printf '{"runtimeTarget":{"name":".NETCoreApp,Version=v10.0/linux-x64"},"targets":{"x":{"obengine/0.1.0":{"runtime":{}}}},"libraries":{"obengine/0.1.0":{}}}' > "$work/package/obengine.deps.json"
hosts=()
for ((i = 1; i <= machines; i++)); do
    hosts+=("m$i")
    mkdir -p "$work/machines/m$i/data"
    head -c "${mib}M" /dev/urandom | split -b 1M - "$work/machines/m$i/data/"
done
"$OBENGINE" agent install "${hosts[@]}" --package "$work/package" --accept-new --allow-downgrade --quiet > "$work/output"
echo "$passphrase" > "$work/passphrase"
"$OBENGINE" vault create "$work/vault" --passphrase-file "$work/passphrase" --quiet > "$work/output"

# What each machine finds at the path of the order is its own.
step() {
    local name=$1 before after pid hwm=0 cpu=0 now
    shift
    before=$(busy)
    local start=$EPOCHREALTIME
    "$OBENGINE" agent backup "${hosts[@]}" --vault "$work/vault" --passphrase-file "$work/passphrase" --at-once "${at_once:-$machines}" --json "$@" > "$work/output" &
    pid=$!
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2> /dev/null) && [[ -n $now ]]; do
        hwm=$now
        cpu=$(awk '{ print ($14 + $15) / 100 }' "/proc/$pid/stat" 2> /dev/null || echo "$cpu")
        sleep 0.1
    done
    wait "$pid" || { cat "$work/output" >&2; exit 1; }
    after=$(busy)
    awk -v name="$name" -v start="$start" -v end="$EPOCHREALTIME" -v hwm="$hwm" -v cpu="$cpu" -v before="$before" -v after="$after" \
        'BEGIN { printf "%s: %.1f s, server %.0f MiB and %.1f s of processor time, %.1f s of all\n", name, end - start, hwm / 1024, cpu, after - before }'
}

step "first" --source "$work/source"
step "again" --source "$work/source"
