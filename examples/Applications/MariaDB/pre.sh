#!/bin/sh
# Before the snapshots: pre.sh SOCKET [FOLDER]
#   SOCKET  where the server listens
#   FOLDER  for what post.sh has to know; default: /run/obengine-mariadb
#
# Holds all tables still (FLUSH TABLES WITH READ LOCK) in a session that stays open until post.sh ends it. InnoDB would
# come through a snapshot by itself; tables of Aria and MyISAM come through only with this. Where post.sh never comes, the
# session ends after two minutes.
set -eu
socket=$1
folder=${2:-/run/obengine-mariadb}
mkdir -p -m 700 "$folder"

# What an earlier backup left that was killed.
"$(dirname "$0")/post.sh" "$socket" "$folder" || true

mkfifo -m 600 "$folder/commands"
mariadb --socket="$socket" --batch --skip-column-names --unbuffered <"$folder/commands" >"$folder/said" 2>&1 &
session=$!
echo "$session" >"$folder/session"

# While somebody has the commands open for writing, the session waits for more.
exec 3>"$folder/commands"
sleep 120 &
echo $! >"$folder/holder"
echo "FLUSH TABLES WITH READ LOCK; SELECT 'locked';" >&3
exec 3>&-

while ! grep -q '^locked$' "$folder/said"; do
    if ! kill -0 "$session" 2>/dev/null; then
        cat "$folder/said" >&2
        exit 1
    fi

    sleep 0.1
done
