#!/usr/bin/env bash
# A smoke test of the win-x64 build under Wine: `tests/wine/run.sh`; `.ci/run` runs it too where OB_WINE=1 is set. Each check prints a
# line: `ok`, `FAILED` (the script then ends with 1), or `cannot`, which says what Wine does not have.
#
# What Wine 8 lacks, and how that is gone around:
# - P-256 keys: `vault create`, which makes the owner's key, fails, and a vault that has an owner is taken for damaged, also one that
#   Linux made. A vault without an owner is what `drill --keep` leaves, on either system.
# - The pseudo handle for PBKDF2, which .NET uses on a newer Windows: Wine says that it is Windows 7.
# - Calls by reflection through code that is made at run time break its collections (0x80131506): they are interpreted.
# The build is neither trimmed nor compiled ahead of time, which takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Debian keeps wine64 out of the path. Names are UTF-8, whatever the locale is.
export PATH=$PATH:/usr/lib/wine LC_ALL=C.UTF-8 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

if ! command -v wine64 > /dev/null && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wine64 libgnutls30 > /dev/null || true
fi
if ! command -v wine64 > /dev/null; then
    echo 'FAILED wine64 is not installed, and could not be.'
    exit 1
fi

work=$(mktemp -d)
drive=$work/prefix/drive_c
output=$work/output
failed=0
unset DISPLAY WAYLAND_DISPLAY
export WINEPREFIX=$work/prefix WINEARCH=win64 WINEDEBUG=-all
clean() {
    timeout 20 wineserver -k 2> /dev/null || true
    timeout 20 wineserver -w 2> /dev/null || true
    rm -rf "$work"
}
trap clean EXIT

# Both programs. What is made for Windows is kept apart from what the checkout has for this system.
publish=(dotnet publish -c Release -r win-x64 --self-contained --nologo --verbosity quiet)
"${publish[@]}" src/MSOnlineBackup.Host --artifacts-path "$work/artifacts" --output "$work/windows" \
    -p:PublishReadyToRun=false -p:PublishReadyToRunComposite=false -p:PublishTrimmed=false
sed -i 's/"configProperties": {/&\n      "Switch.System.Reflection.ForceInterpretedInvoke": true,/' "$work/windows/obengine.runtimeconfig.json"
dotnet build src/MSOnlineBackup.Host --nologo --verbosity quiet > /dev/null

# One more for Windows: it keeps a file open, shared with nobody, until its input ends.
mkdir "$work/hold"
cat > "$work/hold/hold.csproj" << 'END'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
</Project>
END
cat > "$work/hold/hold.cs" << 'END'
using var held = new System.IO.FileStream(args[0], System.IO.FileMode.Open, System.IO.FileAccess.ReadWrite, System.IO.FileShare.None);
System.Console.WriteLine("held");
System.Console.In.ReadToEnd();
END
"${publish[@]}" "$work/hold" --output "$work/holder"

# A prefix of its own, without an offer of .NET Framework and of a browser.
began=$SECONDS
WINEDLLOVERRIDES='mscoree,mshtml=' timeout 120 wine64 wineboot --init > /dev/null 2>&1
timeout 60 wine64 reg add 'HKCU\Software\Wine' /v Version /d win7 /f > /dev/null 2>&1

windows() { timeout 60 wine64 "$work/windows/obengine.exe" "$@" > "$output" 2>&1 < /dev/null; }
linux() { TMPDIR=$work timeout 60 dotnet src/MSOnlineBackup.Host/bin/Debug/net10.0/obengine.dll "$@" > "$output" 2>&1 < /dev/null; }
cmd() { timeout 60 wine64 cmd /c "$@" 2> /dev/null < /dev/null | tr -d '\r'; }
as_windows_writes() { echo "Z:${1//\//\\}"; }
says() { grep -qE -- "$1" "$output"; }

# check TEXT COMMAND...: the command must succeed; where it does not, the end of what was printed last is shown.
check() {
    if "${@:2}"; then
        echo "ok     $1"
    else
        echo "FAILED $1"
        tail -n 20 "$output" | sed 's/^/       /'
        failed=1
    fi
}

# drill FOLDER SYSTEM PATH: drills, and keeps the vault in FOLDER.
drill() {
    "$2" drill --keep "$3" && says '^result +identical' || return
    mv "$(find "$work" -name 'obengine-drill-*' -type d -prune)" "$1"
}

# backs_up CODE FACT: a backup of the tree ends with this code, and says this.
backs_up() {
    local code=0
    windows backup 'C:\tree' "${made[@]}" --machine smoke --json || code=$?
    [[ $code == "$1" ]] && says "$2"
}

# same TREE TREE: names, contents, and the two names of one file.
same() { diff -r "$1" "$2" > "$output" 2>&1 && [[ $2/one.txt -ef $2/two.txt ]]; }

attributes() { cmd "attrib $1\\read-only.txt & attrib $1\\hidden.txt & attrib $1\\one.txt" | sed -E 's/ +[A-Z]:.*//'; }
same_attributes() {
    attributes "$1" > "$output"
    [[ $(tr -d ' \n' < "$output") == ARAHA && $(attributes "$2") == "$(< "$output")" ]]
}

# A tree with what Wine can have of Windows's: hard links, attributes, a path beyond 260 characters, names that DOS keeps for devices.
tree=$drive/tree
long=$(printf 'a folder with a long name %s/' 1 2 3 4 5 6 7 8 9 10 11 12)
mkdir -p "$tree/$long" "$tree/empty"
for name in one.txt read-only.txt hidden.txt changing.txt "$long/deep.txt" CON aux.txt 'Käse 日本.txt'; do
    echo "$name" > "$tree/$name"
done
: > "$tree/empty.txt"
head -c 3000000 /dev/urandom > "$tree/large.bin"
cmd 'mklink /H C:\tree\two.txt C:\tree\one.txt & attrib +r C:\tree\read-only.txt & attrib +h C:\tree\hidden.txt' > /dev/null
files=11

echo 'a passphrase of the smoke test' > "$work/passphrase"
if windows vault create 'C:\owned' --passphrase-file "$(as_windows_writes "$work/passphrase")" || ! says 0x80090029; then
    check 'vault create' says 'owner'
else
    echo 'cannot vault create: there are no P-256 keys, of which the owner has one'
fi

check 'drill, in a vault that it creates' drill "$drive/made" windows 'C:\tree'
made=(--vault 'C:\made\vault' --passphrase-file 'C:\made\passphrase')
check 'first backup: every file is new' backs_up 0 "\"newFiles\":$files,.*\"skipped\":0,"
check 'second backup: no file has changed, and none is read' backs_up 0 "\"unchangedFiles\":$files,\"readBytes\":0,"
check 'verify --read-data' windows verify --read-data "${made[@]}"
check 'restore' windows restore latest 'C:\tree' "${made[@]}" --to 'C:\restored'
check 'restored: contents, hard links, a path beyond 260 characters, CON' same "$tree" "$drive/restored/C/tree"
check 'restored: the attributes read-only and hidden' same_attributes 'C:\tree' 'C:\restored\C\tree'

# A file that is in use is skipped, and the backup says so; the one before still has it.
cp -a "$tree" "$work/before"
echo changed >> "$tree/changing.txt"
mkfifo "$work/release"
timeout 60 wine64 "$work/holder/hold.exe" 'C:\tree\changing.txt' > "$work/held" 2> /dev/null < "$work/release" &
exec 3> "$work/release"
for ((i = 0; i < 100; i++)); do
    [[ -s $work/held ]] && break
    sleep 0.1
done
check 'third backup: a file that another program has open is skipped and named' backs_up 3 'changing\.txt'
check 'restore: the skipped file as it was before' windows restore latest 'C:\tree' "${made[@]}" --to 'C:\kept'
check 'restored: the file of the point before' same "$work/before" "$drive/kept/C/tree"
exec 3>&-
wait
check 'fourth backup: it is free again' backs_up 0 '"changedFiles":1,'

# From Windows to Linux, and back.
linux_made=(--vault "$drive/made/vault" --passphrase-file "$drive/made/passphrase")
check 'Linux verifies the vault that Windows made' linux verify --read-data "${linux_made[@]}"
check 'Linux restores from it' linux restore latest 'C:\tree' "${linux_made[@]}" --to "$work/restored"
check 'restored: contents, hard links' same "$tree" "$work/restored/C/tree"
check 'Linux drills' drill "$work/other" linux "$tree"
other=(--vault "$(as_windows_writes "$work/other/vault")" --passphrase-file "$(as_windows_writes "$work/other/passphrase")")
check 'Windows verifies the vault that Linux made' windows verify --read-data "${other[@]}"
check 'Windows restores from it' windows restore latest "${other[@]}" --to 'C:\other'
check 'restored: contents, hard links' same "$tree" "$drive/other$tree"

echo 'cannot run the module: PowerShell for Windows ends under Wine 8 before it runs a command, also with the runtimes it asks for'
echo "The checks took $((SECONDS - began)) s."
exit "$failed"
