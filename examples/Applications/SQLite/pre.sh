#!/bin/sh
# Before the snapshots: pre.sh DATABASE COPY
#   DATABASE  the file that the application writes
#   COPY      a file in a folder that is backed up, too
#
# Makes a copy of the database as it is at one moment, while the application goes on. It is right on any file system, also
# where there are no snapshots; the copy is what is restored. The application's account writes it.
set -eu
database=$1
copy=$2
rm -f "$copy.new"

# As the application's account: files that SQLite makes beside the database are to stay the application's.
runuser -u "$(stat -c %U "$database")" -- sqlite3 -bail "file:$database?mode=ro" \
    "PRAGMA busy_timeout = 10000" "VACUUM INTO '$(printf %s "$copy.new" | sed "s/'/''/g")'" >/dev/null
sync "$copy.new"
mv "$copy.new" "$copy"
