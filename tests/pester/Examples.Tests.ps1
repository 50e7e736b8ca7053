# Each example of the help is run as it stands, but for its paths, in the session that the pages presume: a machine that is registered, has
# a passphrase, policies and a recovery point. What an example changes is put back before the next.

BeforeDiscovery {
    . "$PSScriptRoot/Azurite.ps1"
    $hasAzurite = Test-Azurite
    $examples = foreach ($page in Get-ChildItem "$PSScriptRoot/../../docs/en-US" -Filter *-*.md) {
        foreach ($match in [regex]::Matches((Get-Content $page -Raw), '(?ms)^### (Example \d+: [^\n]+)\n\n```powershell\n(.*?)^```')) {
            # A database server with its backups has a journey of its own, which recovers it in the same words. Virtual machines, and their recovery points, have tests of their own.
            if (($hasAzurite -or $match.Value -notmatch 'https://contoso\.blob') -and $match.Value -notmatch 'Start-OBRecovery -Workload|(Get|Restore)-OBVirtualMachine ' -and -not ($IsWindows -and $match.Value -match '-HostName')) {
                @{ Page = $page.BaseName; Title = $match.Groups[1].Value; Code = $match.Groups[2].Value }
            }
        }
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $commonState = $env:MSONLINEBACKUP_STATE

    # All that examples touch is below one folder, of which a copy is kept.
    $root = Join-Path $commonState root
    $asPrepared = Join-Path $commonState as-prepared
    $env:MSONLINEBACKUP_STATE = "$root/state"
    $passphrase = ConvertTo-SecureString 'a passphrase for examples' -AsPlainText -Force

    foreach ($file in 'srv/data/report.txt', 'srv/data/logs/today.log', 'srv/photos/a.jpg', 'srv/pictures/b.jpg', 'tmp/readme.txt') {
        $null = New-Item -Path "$root/$file" -Value "This is $file." -Force
    }

    $credential = New-OBVault -Path "$root/mnt/backup/vault" | Export-OBVaultCredential -Path "$root/tmp"
    $null = Start-OBRegistration -VaultCredentials $credential.FullName
    Set-OBMachineSetting -EncryptionPassphrase $passphrase

    $specs = @(New-OBFileSpec -FileSpec "$root/srv/data") + @(New-OBFileSpec -FileSpec '*.bak' -Exclude)
    $policy = New-OBPolicy | Add-OBFileSpec -FileSpec $specs
    $null = $policy | Set-OBSchedule -Schedule (New-OBSchedule -TimesOfDay '21:00')
    $null = $policy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBPolicy
    $null = Get-OBPolicy | Start-OBBackup
    $null = New-Item -ItemType Directory "$root/etc/msonlinebackup" -Force
    $null = Export-OBMonitoringCredential -Path "$root/etc/msonlinebackup/Office.MonitoringCredential"

    $null = Set-OBAlarmSink pager -Command (Get-Command whoami).Source
    . $PSScriptRoot/ModuleFolder.ps1
    $null = New-TestPackage (New-TestModule "$root/mnt/usb/MSOnlineBackup") "$root/mnt/usb/MSOnlineBackup.nupkg"
    $null = New-TestPackage (New-TestModule "$root/tmp/newer" 1.3.0) "$root/mnt/usb/MSOnlineBackup.1.3.0.nupkg"
    $null = New-TestModule "$root/opt/MSOnlineBackup"
    $null = New-TestModule "$root/opt/MSOnlineBackup.previous" 1.2.2
    $scripts = New-TestScript "$root/etc/azure"
    Rename-Item $scripts VMSnapshotScriptPluginConfig.json

    # Machines with agents of an older version, and one of another platform.
    if (-not $IsWindows) {
        $machines = "$root/machines"
        . $PSScriptRoot/Agents.ps1
        New-TestMachine web1, web2, pi1
        $null = New-Item "$machines/pi1/bin/uname" -Value "#!/bin/sh`ncase `$1 in -m) echo aarch64 ;; *) echo Linux ;; esac`n" -Force
        chmod +x "$machines/pi1/bin/uname"
        $null = New-Item -ItemType Directory "$root/srv/packages"
        Move-Item (New-TestAgentPackage 0.0.9 linux-arm64) "$root/srv/packages/linux-arm64"
        foreach ($version in '0.0.8', '0.0.9') {
            $null = Install-OBAgent web1, web2 -PackagePath (New-TestAgentPackage $version) -Force
        }
    }

    # What examples have in Azure.
    . $PSScriptRoot/Azurite.ps1
    $azurite = $null
    if (Test-Azurite) {
        $azurite = Start-TestAzurite
        $null = New-OBVault -Url "$($azurite.Url)/office"
    }

    function az { New-TestSas office }

    # Modes count: secrets that others could read are refused.
    function Copy-Folder([string] $From, [string] $To) {
        if ($IsWindows) { Copy-Item -LiteralPath $From -Destination $To -Recurse } else { cp -a $From $To }
    }

    # What somebody would type.
    function Read-Host { $passphrase }
    function Read-OBPassphrase { $passphrase }

    Copy-Folder $root $asPrepared
}

AfterAll {
    $env:OBENGINE_SSH = $null
    $env:MSONLINEBACKUP_STATE = $commonState
    Remove-TestState
    Stop-TestAzurite $azurite
}

Describe '<Page>' -ForEach $examples {
    BeforeEach {
        Remove-Item -LiteralPath $root -Recurse -Force
        Copy-Folder $asPrepared $root
    }

    It '<Title>' {
        $code = $Code -replace 'https://contoso\.blob\.core\.windows\.net', ${azurite}?.Url
        $script = [scriptblock]::Create(($code -replace '(?<![\w/])/(srv|mnt|tmp|etc|opt)\b', "$root/`$1"))

        { & $script 6> $null } | Should -Not -Throw
    }
}
