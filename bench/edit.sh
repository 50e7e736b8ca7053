#!/usr/bin/env bash
# Changes one percent of a tree, the same way for the same tree and seed.
set -euo pipefail
export LC_ALL=C

[[ $# == 1 || $# == 2 ]] || { echo 'usage: edit.sh DIR [SEED]' >&2; exit 2; }
cd "$1"
seed=${2:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A fixed stream of text; each edit takes another stretch of it.
awk -v seed="$seed" 'BEGIN {
    state = 48271 + seed
    for (line = 0; line < 20000; line++) {
        text = ""
        for (word = 0; word < 8; word++) { state = (state * 16807) % 2147483647; text = text sprintf("%x ", state) }
        print text
    }
}' > "$scratch/text"
text_size=$(stat -c %s "$scratch/text")
new_content() { dd if="$scratch/text" bs=64K iflag=skip_bytes,count_bytes skip=$(($1 * 7919 % (text_size - $2))) count="$2" status=none; }

find . -type f -printf '%s %P\0' | sort -z --random-sort --random-source=<(yes "$seed") > "$scratch/files"
total=$(tr -dc '\0' < "$scratch/files" | wc -c)
wanted=$(((total + 99) / 100))

put() { dd of="$1" bs=64K iflag=fullblock oflag=seek_bytes seek="$2" conv=notrunc status=none; }

# A large file stands for many: one percent of its 64 KiB pieces is overwritten, spread over all of it.
overwrite() {
    local path=$1 size=$2 number=$3 i
    if ((size < 64 * 1024 * 1024)); then
        new_content "$number" $((size < 40960 ? size / 10 + 1 : 4096)) | put "$path" $((size / 2))
        return
    fi
    for ((i = 0; i < size / 65536 / 100; i++)); do
        new_content "$i" 65536 | put "$path" $(((i * 100 + (i * 37 + seed) % 100) * 65536))
    done
}

# Of ten edits: three append, three overwrite in the middle, two add a file beside, one deletes, one renames.
number=0
while ((number < wanted)) && IFS= read -r -d '' line; do
    size=${line%% *}
    path=${line#* }
    if ((total < 100)); then kind=3; else kind=$((number % 10)); fi
    case $kind in
        0 | 1 | 2) new_content "$number" 700 >> "$path" ;;
        3 | 4 | 5) overwrite "$path" "$size" "$number" ;;
        6 | 7) new_content "$number" $((size < 65536 ? size + 1 : 65536)) > "$path.new" ;;
        8) rm "$path" ;;
        9) mv "$path" "$path.renamed" ;;
    esac
    number=$((number + 1))
done < "$scratch/files"
echo "$number of $total files edited in $PWD (seed $seed)"
