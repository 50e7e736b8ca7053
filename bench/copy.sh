#!/usr/bin/env bash
# Measures copies of a vault to a twin: all of it, what an edit has added, and nothing, and a backup that goes to both; beside the backup that made it, cp, and restic copy.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: copy.sh CORPUS [--rounds N] [--restic PROGRAM] [--work DIR]

CORPUS     a folder, for example one made by corpora.sh
--rounds   how often each step is run (default 3), each time into a new twin
--restic   measure restic copy, too, into a repository that was made with --copy-chunker-params
--work     where vaults are put (default ./benchwork): four times what the corpus takes; emptied afterwards

OBENGINE names the program; otherwise it is published from this checkout. Needs GNU time. Times are seconds, medians.
TEXT
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/measure.sh"
rounds=3
restic=
work=$PWD/benchwork
corpus=
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --restic) restic=$2; shift 2 ;;
        --work) work=$2; shift 2 ;;
        -*) usage ;;
        *) [[ -z $corpus ]] || usage; corpus=$1; shift ;;
    esac
done
[[ -d $corpus ]] || usage
corpus=$(cd "$corpus" && pwd)
mkdir -p "$work"
work=$(mktemp -d "$(cd "$work" && pwd)/XXXXXX")
trap 'rm -rf "$work"' EXIT
publish "$here/.."

measured=$work/measured
source=$work/source
home=$work
echo "$passphrase" > "$work/passphrase"
export OBENGINE RESTIC=$restic work source RESTIC_PASSWORD_FILE=$work/passphrase RESTIC_FROM_PASSWORD_FILE=$work/passphrase
export XDG_CACHE_HOME=$work/cache RESTIC_CACHE_DIR=$work/cache
cat > "$work/steps.sh" <<'TEXT'
set -euo pipefail
open=(--passphrase-file "$work/passphrase" --quiet)
backup() { "$OBENGINE" backup "$source" --vault "$work/vault" "${open[@]}"; }
both() { "$OBENGINE" backup "$source" --vault "$work/first" --copy-to "$work/other" "${open[@]}"; }
copy() { "$OBENGINE" vault copy "$work/vault" "$work/twin" "${open[@]}"; }
plain() { cp -r "$work/vault" "$work/plain" && sync -f "$work/plain"; }
restic_backup() { "$RESTIC" -q -r "$work/repository" backup "$source"; }
restic_copy() { "$RESTIC" -q -r "$work/second" copy --from-repo "$work/repository"; }
"$@"
TEXT

describe_corpus "$corpus"
for ((round = 1; round <= rounds; round++)); do
    rm -rf "$source" "$work/vault" "$work/twin" "$work/plain" "$work/first" "$work/other" "$work/repository" "$work/second" "$work/cache"
    cp -a --sparse=always "$corpus" "$source"
    find "$source" -type f -exec cat {} + > /dev/null
    "$OBENGINE" vault create "$work/vault" --passphrase-file "$work/passphrase" --owner-file "$work/owner$round" --quiet > "$work/output"
    "$OBENGINE" vault create "$work/twin" --twin-of "$work/vault" --quiet > "$work/output"
    measure obengine backup backup
    echo "stored $(du -sm "$work/vault" | cut -f1) MiB"
    measure obengine copy copy
    measure obengine copy-unchanged copy
    measure cp plain plain
    "$OBENGINE" vault create "$work/first" --passphrase-file "$work/passphrase" --owner-file "$work/first$round" --quiet > "$work/output"
    "$OBENGINE" vault create "$work/other" --twin-of "$work/first" --quiet > "$work/output"
    measure obengine both both
    if [[ -n $restic ]]; then
        "$restic" -q -r "$work/repository" init
        "$restic" -q -r "$work/second" init --from-repo "$work/repository" --copy-chunker-params
        measure restic backup restic_backup
        measure restic copy restic_copy
        measure restic copy-unchanged restic_copy
    fi

    "$here/edit.sh" "$source"
    measure obengine backup-changed backup
    measure obengine both-changed both
    measure obengine copy-changed copy
    if [[ -n $restic ]]; then
        measure restic backup-changed restic_backup
        measure restic copy-changed restic_copy
    fi

    "$OBENGINE" verify --read-data --vault "$work/twin" --passphrase-file "$work/passphrase" --quiet
    "$OBENGINE" verify --read-data --vault "$work/other" --passphrase-file "$work/passphrase" --quiet
done

awk '
    function median(values,    v, n, i, j, t) {
        n = split(values, v, " ")
        for (i = 2; i <= n; i++) { for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t } }
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    { key = sprintf("%-10s %-16s", $1, $2); wall[key] = wall[key] " " $4; cpu[key] = cpu[key] " " $5; peak[key] = peak[key] " " $6 }
    !(key in known) { known[key] = 1; order[++count] = key }
    END { for (i = 1; i <= count; i++) printf "%s %8.2f s %8.2f CPU s %8d KiB\n", order[i], median(wall[order[i]]), median(cpu[order[i]]), median(peak[order[i]]) }' "$measured"
