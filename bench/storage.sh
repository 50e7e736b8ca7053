# Sourced by blob.sh and mount-far.sh: Azurite, and the long way to it. They set work and delay, call prepare_storage first, and
# stop_storage at the end. Azurite is started by storage=(COMMAND...) where that is set.

storage=()
servers=()
stop_storage() {
    ((${#servers[@]} == 0)) || kill -KILL "${servers[@]}" 2> /dev/null || true
    servers=()
}

prepare_storage() {
    local root=$1
    dotnet build "$root/bench/MSOnlineBackup.Benchmarks" -c Release -v quiet --nologo >&2
    benchmarks=$root/bench/MSOnlineBackup.Benchmarks/bin/Release/net10.0/MSOnlineBackup.Benchmarks.dll

    # Servers end with their standard input; this one stays open.
    mkfifo "$work/open"
    exec {open}<> "$work/open"
}

account=devstoreaccount1
export AZURE_ACCOUNT_NAME=$account
# The emulator's key is public and the same everywhere.
export AZURE_ACCOUNT_KEY='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

# serve COMMAND...: starts a server, and reads on until it says where it listens.
serve() {
    exec {said}< <(exec "${storage[@]}" "$@" < "$work/open")
    servers+=($!)
    line=
    while [[ $line != *http://127.0.0.1:[1-9]* ]]; do
        read -r line <&"$said" || { echo "$1 did not start." >&2; exit 1; }
    done
    server=${line##* }
    exec {said}<&-
}

# Each place gets an Azurite of its own.
start_storage() {
    local place=$1
    serve "$here/../tests/azurite/start.sh"
    case $place in
        near) serve dotnet "$benchmarks" delay "$server" 0 ;;
        far) serve dotnet "$benchmarks" delay "$server" "$delay" ;;
    esac
    export AZURE_ENDPOINT_SUFFIX=${server#http://}
    export AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=$account;AccountKey=$AZURE_ACCOUNT_KEY;BlobEndpoint=$server/$account;"
    export vault=$server/$account/vault
}
