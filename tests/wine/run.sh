#!/usr/bin/env bash
# The win-x64 build under Wine, a smoke test: `tests/wine/run.sh`; with OB_WINE=1 `.ci/run` does it too. It takes two minutes for the
# builds and less than one for the checks, each of which is a line: `ok`, `FAILED`, or `cannot`, which tells what Wine cannot show.
#
# What is known of Wine 8, and arranged for here:
# - It has no P-256 in its key storage: `vault create`, which makes the owner's key, fails, and a vault that has an owner is taken for
#   damaged. So the vaults here are those of `drill --keep`, which have none.
# - It lacks the pseudo handles for PBKDF2, which .NET uses from Windows 10 on: it says that it is Windows 7.
# - Calls by reflection through generated code break the garbage collector (0x80131506): they are interpreted.
# - What was compiled ahead does not run there: the build is neither that nor trimmed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 PATH=$PATH:/usr/lib/wine

if ! command -v wine64 > /dev/null && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wine64 > /dev/null || true
fi
if ! command -v wine64 > /dev/null; then
    echo 'FAILED wine64 is not installed, and only root can install it here.'
    exit 1
fi

work=$(mktemp -d)
lock=
unset DISPLAY WAYLAND_DISPLAY
export WINEPREFIX=$work/prefix WINEARCH=win64 WINEDEBUG=-all
clean() {
    [[ -z $lock ]] || kill "$lock" 2> /dev/null || true
    wineserver -k 2> /dev/null || true
    wineserver -w 2> /dev/null || true
    rm -rf "$work"
}
trap clean EXIT

# The builds: for Windows with everything that is made kept apart from the checkout's, and for this system as it always is.
dotnet publish src/MSOnlineBackup.Host -c Release -r win-x64 --self-contained --nologo --verbosity quiet \
    -p:PublishReadyToRun=false -p:PublishReadyToRunComposite=false -p:PublishTrimmed=false \
    --artifacts-path "$work/artifacts" --output "$work/host"
sed -i 's/"configProperties": {/&\n      "Switch.System.Reflection.ForceInterpretedInvoke": true,/' "$work/host/obengine.runtimeconfig.json"
dotnet build src/MSOnlineBackup.Host --nologo --verbosity quiet

# A prefix of its own, without the questions whether .NET Framework and a browser shall be installed.
WINEDLLOVERRIDES='mscoree,mshtml=' timeout 120 wine64 wineboot --init > /dev/null 2>&1
timeout 60 wine64 reg add 'HKCU\Software\Wine' /v Version /d win7 /f > /dev/null 2>&1

drive=$WINEPREFIX/drive_c
output=$work/output
failed=0
began=$SECONDS
windows() { timeout 60 wine64 "$work/host/obengine.exe" "$@" > "$output" 2>&1 < /dev/null; }
linux() { timeout 60 dotnet module/bin/host/obengine.dll "$@" > "$output" 2>&1 < /dev/null; }
cmd() { timeout 60 wine64 cmd /c "$@" 2> /dev/null < /dev/null | tr -d '\r'; }
seen_by_wine() { echo "Z:${1//\//\\}"; }
says() { grep -qE -- "$1" "$output"; }

# check TEXT COMMAND...: the command must succeed. Where it does not, what obengine printed last is shown.
check() {
    local text=$1
    shift
    if "$@"; then
        echo "ok     $text"
    else
        echo "FAILED $text"
        tail -n 20 "$output" | sed 's/^/       /'
        failed=1
    fi
}
cannot() { echo "cannot $1"; }

# ends CODE COMMAND...: whether it ends with this exit code.
ends() {
    local code=0
    "${@:2}" || code=$?
    [[ $code == "$1" ]]
}

# The tree: contents of every size, hard links, attributes, a path beyond 260 characters, names that DOS keeps for devices.
tree=$drive/tree
long=$(printf 'a folder with a long name %s/' 1 2 3 4 5 6 7 8 9 10 11 12)
mkdir -p "$tree/$long" "$tree/empty"
: > "$tree/empty.txt"
echo one > "$tree/one.txt"
echo 'read-only' > "$tree/read-only.txt"
echo hidden > "$tree/hidden.txt"
echo first > "$tree/locked.txt"
echo long > "$tree/${long}file.txt"
echo device > "$tree/CON"
echo device > "$tree/aux.txt"
echo 'ümlaut' > "$tree/Käse 日本.txt"
head -c 3000000 /dev/urandom > "$tree/big.bin"
cmd 'mklink /H C:\tree\two.txt C:\tree\one.txt & attrib +r C:\tree\read-only.txt & attrib +h C:\tree\hidden.txt' > /dev/null
attributes() { cmd "attrib $1\\read-only.txt & attrib $1\\hidden.txt" | sed -E 's/ *[A-Z]:.*\\/ /'; }

# A vault without an owner is what `drill` works in, and keeps.
kept() { find "$1" -maxdepth 4 -type d -name 'obengine-drill-*' -print -quit; }
cannot "create a vault with an owner, or open one: Wine has no P-256 in its key storage. The vaults here are drill's, which have none."
check 'drill under Wine: every item and byte came back' eval "windows drill --keep 'C:\\tree' && says '^result +identical'"
mv "$(kept "$drive/users")" "$drive/made"
vault=(--vault 'C:\made\vault' --passphrase-file 'C:\made\passphrase')

check 'first backup' eval 'windows backup "C:\tree" "${vault[@]}" --machine smoke --json && says "\"newFiles\":12,"'
check 'second backup, unchanged: nothing is read' eval 'windows backup "C:\tree" "${vault[@]}" --machine smoke --json && says "\"unchangedFiles\":12,\"readBytes\":0,"'
check 'restore' windows restore latest 'C:\tree' "${vault[@]}" --machine smoke --to 'C:\restored'

echo "$((SECONDS - began)) s"
exit "$failed"
