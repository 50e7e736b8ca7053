#!/usr/bin/env bash
# Makes a corpus for the benchmarks from what a Debian-like machine has.
set -euo pipefail
export LC_ALL=C

usage() {
    cat >&2 <<'TEXT'
usage: corpora.sh NAME DIR

  small      27,000 small source-like files, about 290 MiB
  binaries   9,500 executables, libraries and archives, about 1.6 GiB, no exact duplicates
  image      one sparse ext4 image of 2 GiB (mke2fs)
  postgres   a PostgreSQL cluster, DIR/before and DIR/after a pgbench run (PGBENCH_SCALE, default 40)
  million    a million tiny files in a nested tree

The same machine gives the same files each time, except for image (inode times) and postgres. DIR must be new or empty.
TEXT
    exit 2
}

[[ $# == 2 ]] || usage
name=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
[[ -z $(ls -A "$dir") ]] || { echo "$dir is not empty." >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The system's own files: what a package put there stays the same from run to run.
system_files() {
    local places=() place
    for place in /usr /opt; do
        if [[ -d $place ]]; then places+=("$place"); fi
    done
    find "${places[@]}" -xdev -path /usr/local -prune -o -type f "$@" -print0
}

# A sample in an order that depends only on each path, so that a package more or less changes only its own files.
in_sample_order() { sort -z --random-sort --random-source=<(yes MSOnlineBackup); }

# Reads paths (NUL-terminated), copies them below DIR with their folders and times.
copy_into_corpus() { tar -C / --null --files-from=- --hard-dereference -cf - 2> >(grep -v 'Removing leading' >&2) | tar -C "$dir" -xf -; }

first_of_each_content() { xargs -0 -r md5sum --zero | awk 'BEGIN { RS = ORS = "\0" } !seen[substr($0, 1, 32)]++ { print substr($0, 35) }'; }

# Text in the manner of source code for machines with little of their own: sizes are log-normal, words are drawn with a skew.
generate_small() {
    local count=$1
    awk -v count="$count" -v dir="$dir/generated" '
        function random() { state = (state * 16807) % 2147483647; return state / 2147483647 }
        BEGIN {
            state = 20261121
            for (w = 0; w < 4000; w++) {
                word[w] = ""
                for (l = 2 + int(random() * 9); l > 0; l--) { word[w] = word[w] substr("etaoinshrdlucmfwypvbgkjqxz_", 1 + int(27 * random() ^ 2), 1) }
            }
            for (f = 0; f < count; f++) {
                folder = sprintf("%s/%02d/%02d", dir, int(f / 1000), int(f / 40) % 25)
                if (folder != last) { system("mkdir -p " folder); last = folder }
                normal = 0
                for (i = 0; i < 12; i++) { normal += random() }
                size = exp(8.5 + 1.25 * (normal - 6))
                path = sprintf("%s/%05d.c", folder, f)
                for (written = 0; written < size; written += length(line) + 1) {
                    line = substr("                ", 1, 4 * int(4 * random()))
                    for (i = 1 + int(10 * random()); i > 0; i--) { line = line word[int(4000 * random() ^ 3)] substr(" (); ,=.->", 1 + int(9 * random()), 1) }
                    print line > path
                }
                close(path)
            }
        }'
}

small() {
    local wanted=27000 have
    system_files -size +0 -size -320k -regextype posix-extended -regex \
        '.*\.(h|hh|hpp|hxx|c|cc|cpp|py|pyi|pm|pl|js|ts|rb|php|go|java|cs|pp|inc|sql|tcl|sh|cmake|m4|txt|md|rst|xml|json|yaml|yml|html|css|el|vim)' |
        in_sample_order | sed -zn "1,${wanted}p" | copy_into_corpus
    have=$(find "$dir" -type f | wc -l)
    if ((have < wanted)); then generate_small $((wanted - have)); fi
}

# Where the machine has too few, every file is taken again with a suffix: the duplicates show in the summary.
binaries() {
    local wanted=9500 least=$((1600 * 1024 * 1024)) copy=0 size
    system_files -size +6k -size -24576k '(' -perm -100 -o -name '*.so' -o -name '*.so.*' -o -name '*.a' -o -name '*.dll' -o -name '*.o' \
        -o -name '*.ko' -o -name '*.pyc' -o -name '*.jar' -o -name '*.gz' -o -name '*.node' -o -name '*.zip' ')' |
        in_sample_order | sed -zn "1,$((wanted * 5 / 4))p" | first_of_each_content | sed -zn "1,${wanted}p" | copy_into_corpus
    size=$(du -sb "$dir" | cut -f1)
    while ((size < least * 9 / 10)); do
        copy=$((copy + 1))
        find "$dir" -type f ! -name '*.copy?' -print0 | sort -z > "$scratch/again"
        while ((size < least)) && IFS= read -r -d '' path; do
            cp -p "$path" "$path.copy$copy"
            size=$((size + $(stat -c %s "$path")))
        done < "$scratch/again"
    done
}

# Fixed identifiers, so that two images of one tree differ only in the times of their inodes.
image() {
    local tree=$scratch/tree seed=5b5e8f8c-6a53-4f0e-9a43-000000000001
    mkdir "$tree"
    system_files -size -65536k | in_sample_order | sed -zn 1,30000p |
        xargs -0 -r stat --printf '%s %n\0' |
        awk 'BEGIN { RS = ORS = "\0" } { total += $1 + 4096; if (total < 1500 * 1048576) { sub(/^[0-9]+ /, ""); print } }' |
        (dir=$tree copy_into_corpus)
    mke2fs -q -F -t ext4 -U "$seed" -E "hash_seed=$seed,lazy_itable_init=1" -d "$tree" "$dir/disk.img" 2G > "$scratch/mke2fs.log"
}

# PostgreSQL refuses to run as root, so that root runs it as nobody.
postgres() {
    local bin scale=${PGBENCH_SCALE:-40} as=() data
    bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
    [[ -n $bin ]] || { echo 'No PostgreSQL server is installed below /usr/lib/postgresql.' >&2; exit 1; }
    if [[ $(id -u) == 0 ]]; then
        as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
        chmod 755 "$scratch"
    fi
    data=$dir/cluster
    mkdir -p "$data" "$scratch/socket"
    if [[ $(id -u) == 0 ]]; then chown nobody:nogroup "$data" "$scratch/socket"; fi
    server() { "${as[@]}" "$bin/pg_ctl" -D "$data" -s -w -o "-c listen_addresses= -k $scratch/socket" -l "$scratch/socket/log" "$@" || { cat "$scratch/socket/log" >&2; exit 1; }; }
    bench() { "${as[@]}" "$bin/pgbench" -h "$scratch/socket" -U benchmark "$@" postgres 2>&1 | tail -n 1; }
    "${as[@]}" "$bin/initdb" -D "$data" -U benchmark --auth=trust --locale=C -E UTF8 > "$scratch/initdb.log"
    server start
    bench -i -q -s "$scale"
    server stop -m fast
    cp -a "$data" "$dir/before"
    server start
    bench -c 4 -t $((scale * 100)) --random-seed=7
    server stop -m fast
    mv "$data" "$dir/after"
}

# 100 folders of 100 folders of 100 files, each of some tens of bytes and all different.
million() {
    (cd "$dir" && printf '%s\n' {00..99}/{00..99} | xargs mkdir -p)
    awk -v dir="$dir" 'BEGIN {
        for (a = 0; a < 100; a++) {
            for (b = 0; b < 100; b++) {
                for (c = 0; c < 100; c++) {
                    path = sprintf("%s/%02d/%02d/file-%02d.txt", dir, a, b, c)
                    printf "%d %d %d\n%s\n", a, b, c, substr("The quick brown fox jumps over the lazy dog, again and again.", 1, (a * 7 + b * 3 + c) % 60) > path
                    close(path)
                }
            }
        }
    }'
}

summary() {
    find "$dir" -type f -printf '%s\n' | awk '{ files++; bytes += $1 } END { printf "%d files, %.1f MiB, %.1f KiB each\n", files, bytes / 1048576, bytes / 1024 / files }'
    if [[ $name == small || $name == binaries ]]; then
        # size and content of every file; a content met again is a duplicate
        find "$dir" -type f -print0 | xargs -0 stat --printf '%s %n\0' | sort -z -k2 > "$scratch/sizes"
        cut -z -d' ' -f2- "$scratch/sizes" | xargs -0 md5sum --zero | tr '\0\n' '\n ' | cut -c1-32 |
            paste -d' ' - <(tr '\0\n' '\n ' < "$scratch/sizes" | cut -d' ' -f1) |
            awk '{ bytes += $2; if (seen[$1]++) { files++; again += $2 } } END { printf "exact duplicates: %d files, %.1f MiB, %.1f %%\n", files, again / 1048576, 100 * again / bytes }'
    fi
}

case $name in
    small | binaries | image | postgres | million) "$name"; echo "$name in $dir"; summary ;;
    *) usage ;;
esac
