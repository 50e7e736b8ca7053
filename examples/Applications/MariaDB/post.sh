#!/bin/sh
# After the snapshots: post.sh SOCKET [FOLDER], as pre.sh. Ends the session that holds the tables still. It fails where that had
# ended before: then nobody knows whether the tables were held for as long as the snapshots took.
set -eu
folder=${2:-/run/obengine-mariadb}
held=yes
for name in holder session; do
    if [ -s "$folder/$name" ]; then
        kill -0 "$(cat "$folder/$name")" 2>/dev/null || held=no
    fi
done

if [ -s "$folder/holder" ]; then
    kill "$(cat "$folder/holder")" 2>/dev/null || true
fi

if [ -s "$folder/session" ]; then
    while kill -0 "$(cat "$folder/session")" 2>/dev/null; do
        sleep 0.1
    done
fi

rm -f "$folder/holder" "$folder/session" "$folder/commands" "$folder/said"
if [ "$held" = no ]; then
    echo "The tables were let go before this was asked for." >&2
    exit 1
fi
