# Machines that are folders: a script stands for ssh, and runs here, with a home and programs of the machine's, what was to be run there.
if (-not (Test-Path variable:machines)) {
    $machines = Join-Path $TestDrive machines
}

$fingerprint = 'SHA256:G0ui8xV60yff+x4nYXBSKcbnOQmHi0svh4BLZbbYfPU'
$platform = "linux-$([System.Runtime.InteropServices.RuntimeInformation]::OSArchitecture.ToString().ToLowerInvariant())"

Set-Content "$TestDrive/ssh" @"
#!/bin/sh
while [ "`$1" != -- ]; do
  case `$1 in
    UserKnownHostsFile=*) known=`${1#*=\"}; known=`${known%\"} ;;
    HostKeyAlias=*) alias=`${1#*=} ;;
    PreferredAuthentications=none) asked=1 ;;
  esac
  shift
done
m='$machines'/`$2
if [ ! -d "`$m" ] || [ -e "`$m/down" ]; then echo "ssh: connect to host `$2 port 22: No route to host" >&2; exit 255; fi
if [ -n "`$asked" ]; then echo "`$alias `$(cat "`$m/key")" > "`$known"; echo 'Permission denied (publickey).' >&2; exit 255; fi
if ! grep -qF "`$alias `$(cat "`$m/key")" "`$known"; then echo 'WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!' >&2; exit 255; fi
HOME=`$m; PATH=`$m/bin:`$PATH; export HOME PATH
exec sh -c "`$3"
"@
chmod +x "$TestDrive/ssh"
$env:OBENGINE_SSH = "$TestDrive/ssh"

# Adds machines.
function New-TestMachine([string[]] $Name) {
    foreach ($one in $Name) {
        $null = New-Item -ItemType Directory "$machines/$one"
        Set-Content "$machines/$one/key" 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU'
    }
}

# A package as 'dotnet publish' makes it, with a script as its program.
function New-TestAgentPackage([string] $Version, [string] $For = $platform) {
    $folder = (New-Item -ItemType Directory "$TestDrive/package-$Version-$For" -Force).FullName
    Set-Content "$folder/obengine" "#!/bin/sh`necho $Version"
    Set-Content "$folder/obengine.deps.json" "{ ""runtimeTarget"": { ""name"": "".NETCoreApp,Version=v10.0/$For"" }, ""libraries"": { ""obengine/$Version"": {} } }"
    $folder
}

# What the agent of a machine says of itself.
function Get-TestAgentVersion([string] $Name) {
    & "$machines/$Name/.local/bin/obengine" --version
}
