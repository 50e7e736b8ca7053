#!/usr/bin/env bash
# Measures what it costs to compare two recovery points that share most: obengine and restic, here and far away.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: diff.sh [--files N] [--changed N] [--rounds N] [--delay MS] [--work DIR]

--files    how many files the source has (default 100000, of 300 bytes, 100 to a folder)
--changed  how many of them are other ones in the second point (default 10), evenly spread
--rounds   how often each step is run (default 5), in turn; medians are printed
--delay    how much later each request arrives where the vault is far away, in ms (default 30); 0 leaves that out
--work     where the source, the vaults and the repository are put (default ./benchwork); emptied afterwards

Far away the vault is in Azurite, and restic's repository behind 'rclone serve restic'; both are asked through the same delaying proxy. Each program has its cache
from the backups. Bytes are all that a program reads from files, its own included, less what it reads to print its version.
OBENGINE and RESTIC name the programs; otherwise obengine is published from this checkout, and restic is looked up in PATH. Needs GNU time, python3, and for what is
far away node, npm and rclone.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
files=100000
changed=10
rounds=5
delay=30
work=$PWD/benchwork
while (($# > 0)); do
    case $1 in
        --files) files=$2; shift 2 ;;
        --changed) changed=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --delay) delay=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        *) usage ;;
    esac
done
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
servers=()
trap '((${#servers[@]} == 0)) || kill -KILL "${servers[@]}" 2> /dev/null || true; rm -rf "$work"' EXIT
publish "$here/.."
RESTIC=${RESTIC:-restic}
echo "$passphrase" > "$work/passphrase"
export OBENGINE_PASSPHRASE=$passphrase RESTIC_PASSWORD_FILE=$work/passphrase
export XDG_CACHE_HOME=$work/cache RESTIC_CACHE_DIR=$work/rc XDG_CONFIG_HOME=$work/config MSONLINEBACKUP_STATE=$work/state
account=devstoreaccount1
# The emulator's key is public and the same everywhere.
key='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

source=$work/source
python3 - "$source" "$files" <<'PY'
import os, random, sys
random.seed(1)
for i in range(int(sys.argv[2])):
    folder = f"{sys.argv[1]}/{i // 10000:03}/{i // 100 % 100:02}"
    if i % 100 == 0:
        os.makedirs(folder)
    with open(f"{folder}/a file of the source {i:06}", "wb") as f:
        f.write(random.randbytes(300))
PY

change() {
    python3 - "$source" "$files" "$changed" <<'PY'
import random, sys
files, changed = int(sys.argv[2]), int(sys.argv[3])
for n in range(changed):
    i = (2 * n + 1) * files // (2 * changed)
    with open(f"{sys.argv[1]}/{i // 10000:03}/{i // 100 % 100:02}/a file of the source {i:06}", "wb") as f:
        f.write(random.randbytes(300 + n % 2))
PY
}

# Servers end with their standard input; this one stays open.
mkfifo "$work/open"
exec {open}<> "$work/open"
serve() {
    exec {said}< <(exec "$@" < "$work/open")
    servers+=($!)
    line=
    while [[ $line != *http://127.0.0.1:[1-9]* ]]; do
        read -r line <&"$said" || { echo "$1 did not start." >&2; exit 1; }
    done
    server=${line##* }
    server=${server%/}
    exec {said}<&-
}

ours=("$work/vault")
theirs=("$work/repository")
places=(here)
if ((delay > 0)); then
    dotnet build "$here/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
    benchmarks=$here/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks.dll
    serve "$here/../tests/azurite/start.sh"
    serve dotnet "$benchmarks" delay "$server" "$delay" "$work/asked.obengine"
    export AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=$account;AccountKey=$key;BlobEndpoint=$server/$account;"
    ours+=("$server/$account/vault")
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    rclone --config /dev/null serve restic --addr "127.0.0.1:$port" "$work/far" > "$work/rclone" 2>&1 &
    servers+=($!)
    disown
    until (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do sleep 0.05; done
    serve dotnet "$benchmarks" delay "http://127.0.0.1:$port" "$delay" "$work/asked.restic"
    theirs+=("rest:$server/repository/")
    places+=(far)
fi

for vault in "${ours[@]}"; do "$OBENGINE" vault create "$vault" --quiet > /dev/null; done
for repository in "${theirs[@]}"; do "$RESTIC" -q -r "$repository" init; done
for point in 1 2; do
    ((point == 1)) || change
    for vault in "${ours[@]}"; do "$OBENGINE" backup "$source" --vault "$vault" --quiet; done
    for repository in "${theirs[@]}"; do "$RESTIC" -q -r "$repository" backup "$source"; done
done

for i in "${!places[@]}"; do
    mapfile -t points < <("$OBENGINE" points --vault "${ours[i]}" --json | python3 -c 'import json, sys; [print(p["id"]) for p in map(json.loads, sys.stdin) if p["type"] == "point"]')
    mapfile -t snapshots < <("$RESTIC" -r "${theirs[i]}" snapshots --json | python3 -c 'import json, sys; [print(s["id"]) for s in json.load(sys.stdin)]')
    newest[i]=${points[0]} older[i]=${points[1]} first[i]=${snapshots[0]} second[i]=${snapshots[1]}
done

run() {
    local tool=$1 step=$2 i=$3
    case "$tool $step" in
        'obengine diff') "$OBENGINE" diff "${older[i]}" "${newest[i]}" --vault "${ours[i]}" ;;
        'obengine find') "$OBENGINE" find '*source 0500*' --all-points --vault "${ours[i]}" ;;
        'obengine version') "$OBENGINE" --version ;;
        'restic diff') "$RESTIC" -r "${theirs[i]}" diff "${first[i]}" "${second[i]}" ;;
        'restic find') "$RESTIC" -r "${theirs[i]}" find 'a file of the source 0500*' ;;
        'restic version') "$RESTIC" version ;;
    esac
}

# Seconds, MB read, requests, lines of output.
for ((round = 0; round < rounds; round++)); do
    for i in "${!places[@]}"; do
        for step in version diff find; do
            for tool in obengine restic; do
                : > "$work/asked.$tool"
                (
                    start=$(date +%s.%N)
                    run "$tool" "$step" "$i" > "$work/output"
                    end=$(date +%s.%N)
                    # What those have read that this shell has waited for.
                    while read -r name value; do [[ $name != rchar: ]] || read=$value; done < "/proc/$BASHPID/io"
                    echo "$tool ${places[i]} $step $(awk -v s="$start" -v e="$end" 'BEGIN { printf "%.3f", e - s }') $read $(wc -l < "$work/asked.$tool") $(wc -l < "$work/output")"
                ) >> "$work/measured"
            done
        done
    done
done

"$OBENGINE" --version
"$RESTIC" version
echo "$files files, $changed changed, $rounds rounds, ${delay} ms"
awk '
    function median(values,    v, n, i, j, t) {
        n = split(values, v, " ")
        for (i = 2; i <= n; i++) { for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t } }
        return v[int((n + 1) / 2)]
    }
    { key = $2 " " $3 " " $1; s[key] = s[key] " " $4; b[key] = b[key] " " $5; r[key] = r[key] " " $6; l[key] = $7 }
    !(key in known) { known[key] = 1; order[++count] = key }
    END {
        printf "%-24s %8s %10s %9s %7s\n", "step", "s", "MB read", "requests", "lines"
        for (i = 1; i <= count; i++) {
            key = order[i]
            split(key, part, " ")
            if (part[2] == "version") { continue }
            printf "%-24s %8.2f %10.2f %9d %7d\n", key, median(s[key]), (median(b[key]) - median(b[part[1] " version " part[3]])) / 1e6, median(r[key]), l[key]
        }
    }' "$work/measured"
