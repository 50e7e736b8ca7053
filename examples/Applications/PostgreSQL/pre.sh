#!/bin/sh
# Before the snapshots: pre.sh DATA [CONNECTION]
#   DATA        the folder of the cluster, as "SHOW data_directory" says it
#   CONNECTION  what psql connects to; default: the database postgres on the usual socket
#
# A snapshot of all that a cluster has, at one moment, is what a loss of power would leave: it starts, recovers from its
# log, and has every row that was committed. So all of it has to lie on one volume, and that is looked at here. The
# checkpoint makes the recovery short, and brings in what was committed with synchronous_commit = off.
set -eu
data=$1
owner=$(stat -c %U "$data")

ask() {
    runuser -u "$owner" -- psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 --dbname "${connection:-postgres}" --command "$1"
}

connection=${2:-}
if [ "$(ask 'SHOW data_directory')" != "$data" ]; then
    echo "Another cluster than $data answers." >&2
    exit 1
fi

if [ -L "$data/pg_wal" ] || [ "$(find "$data/pg_tblspc" -mindepth 1 | wc -l)" -ne 0 ]; then
    echo "The log, or a tablespace, lies outside $data: one snapshot does not hold all. Back up with pg_basebackup instead." >&2
    exit 1
fi

ask CHECKPOINT
