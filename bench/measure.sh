# Sourced by compare.sh and blob.sh: how one step of one program is measured. They set work, measured, round and source.

# One passphrase for all. Progress is off everywhere: a terminal must not be what is measured.
passphrase='correct horse battery staple'

[[ -x /usr/bin/time ]] || { echo 'GNU time is missing: install the package "time".' >&2; exit 1; }

# Publishes obengine as it is released, unless OBENGINE names one.
publish() {
    local root=$1
    if [[ -z ${OBENGINE:-} ]]; then
        # A lock file of its own: the packages for one runtime are no part of the checkout's.
        dotnet publish "$root/src/MSOnlineBackup.Host" -c Release -r linux-x64 -o "$root/output/obengine" -v quiet --nologo >&2
        OBENGINE=$root/output/obengine/obengine
    fi
}

busy() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat; }

# measure TOOL STEP COMMAND...: the command is a function of $work/steps.sh, run by a shell of its own under GNU time.
measure() {
    local tool=$1 step=$2 before after
    shift 2
    # What earlier steps wrote is not this one's; but where a step is that very writing, it stays.
    [[ $step == settle ]] || sync -f "$work"
    before=$(busy)
    if ! /usr/bin/time -o "$home/time" -f '%e %U %S %M' "$BASH" "$work/steps.sh" "$@" > "$home/output" 2>&1; then
        echo "$tool failed in step $step, round $round:" >&2
        cat "$home/output" >&2
        exit 1
    fi
    after=$(busy)
    awk -v tool="$tool" -v step="$step" -v round="$round" -v busy="$before $after" -v average="$(cut -d' ' -f1 /proc/loadavg)" '
        NF == 4 {
            split(busy, b, " ")
            others = b[2] - b[1] - $2 - $3
            if (others < 0) { others = 0 }
            printf "%s %s %d %.2f %.2f %d %.2f %s\n", tool, step, round, $1, $2 + $3, $4, others, average
        }' "$home/time" >> "$measured"
    tail -n 1 "$measured" >&2
}

# What a restore must give back: the content by diff, the rest by name, kind, mode, owner, time and target.
attributes() { (cd "$1" && find . -printf '%P\t%y\t%m\t%U:%G\t%l' '(' -type d -printf '\n' -o -type l -printf '\n' -o -printf '\t%T@\n' ')' | sort); }
check_restored() {
    local restored=$home/restored$source
    if ! diff -r --no-dereference "$source" "$restored" > "$work/difference" 2>&1 ||
        ! diff <(attributes "$source") <(attributes "$restored") > "$work/difference" 2>&1; then
        echo "$1 did not restore what was backed up (round $round):" >&2
        head -n 20 "$work/difference" >&2
        exit 1
    fi
}

describe_corpus() {
    find "$1" -type f -printf '%s\n' | awk -v name="$(basename "$corpus")" -v rounds="$rounds" -v processors="$(nproc)" -v disk="$(stat -f -c %T "$work")" '
        { bytes += $1 }
        END { printf "Corpus %s: %d files, %.1f MiB; %d rounds; %d processors; %s\n", name, NR, bytes / 1048576, rounds, processors, disk }'
}
