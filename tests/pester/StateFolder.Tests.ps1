BeforeDiscovery { $isRoot = $IsLinux -and (id -u) -eq 0 }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    # Other accounts cannot look into the packages' folder of this one.
    $everybodys = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-shell-$(New-Guid)")).FullName
    Copy-Item "$PSHOME/*" $everybodys -Recurse
    chmod -R a+rX $everybodys
    chmod a+x "$everybodys/pwsh"
    $everybodysShell = "$everybodys/pwsh"
    $write = "Import-Module '$manifest'; `$null = Set-OBMachineSetting -NoThrottle"
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $everybodys -Recurse -Force
}

Describe 'The state of a machine' -Skip:(-not $IsLinux) {
    It 'lies in /var/lib/msonlinebackup for root, whose alone it is' -Skip:(-not $isRoot) {
        # A /var/lib of its own, which goes with the process.
        $found = unshare -m sh -c 'mount -t tmpfs none /var/lib && env -u MSONLINEBACKUP_STATE "$0" -NoProfile -NonInteractive -Command "$1" && find /var/lib/msonlinebackup ! -name "*.lock" -printf "%p %m\n"' $shell $write
        $found | Should -Be '/var/lib/msonlinebackup 700', '/var/lib/msonlinebackup/settings.json 600'
    }

    It 'lies in the <Folder> of a user where XDG_STATE_HOME is <Xdg>' -TestCases @(
        @{ Xdg = ''; Folder = '.local/state' }
        @{ Xdg = 'relative'; Folder = '.local/state' }
        @{ Xdg = '/states'; Folder = 'states' }
    ) {
        $user = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-home-$(New-Guid)")).FullName
        try {
            chmod 777 $user
            $as = if ((id -u) -eq 0) { 'setpriv', '--reuid=65534', '--clear-groups' } else { @() }
            $place = if ($Xdg -like '/*') { "$user$Xdg" } else { $Xdg }
            env -u MSONLINEBACKUP_STATE "HOME=$user" "XDG_STATE_HOME=$place" @as $everybodysShell -NoProfile -NonInteractive -Command $write
            "$user/$Folder/msonlinebackup/settings.json" | Should -Exist
        }
        finally {
            Remove-Item -LiteralPath $user -Recurse -Force
        }
    }

    It 'may be that of an account that is not root: it registers, saves a policy, backs up what it may read, and is told the rest' -Skip:(-not $isRoot) {
        $user = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-home-$(New-Guid)")).FullName
        try {
            chmod 777 $user
            $null = New-Item -ItemType Directory "$user/src"
            Set-Content "$user/src/everybodys.txt", "$user/src/roots.txt" 'text'
            chmod 600 "$user/src/roots.txt"
            $states = env -u MSONLINEBACKUP_STATE -u XDG_STATE_HOME "HOME=$user" setpriv --reuid=65534 --clear-groups $everybodysShell -NoProfile -NonInteractive -Command "
                `$ErrorActionPreference = 'Stop'
                `$ConfirmPreference = 'None'
                Import-Module '$manifest'
                `$credential = New-OBVault '$user/vault' 3> `$null | Export-OBVaultCredential -Path '$user'
                `$null = Start-OBRegistration -VaultCredentials `$credential.FullName 6> `$null
                `$null = Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force)
                `$policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec '$user/src') | Set-OBSchedule -Schedule (New-OBSchedule)
                `$null = `$policy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy 3> `$null
                `$job = Get-OBPolicy | Start-OBBackup 3> `$null 6> `$null
                `$job.JobStatus.JobState, (Get-OBSkippedItem `$job).Path"
            $states | Should -Be CompletedWithWarning, "$user/src/roots.txt"
            "$user/.local/state/msonlinebackup/policy-files.json" | Should -Exist
        }
        finally {
            Remove-Item -LiteralPath $user -Recurse -Force
        }
    }

    It 'is refused where MSONLINEBACKUP_STATE is <State>' -TestCases @(@{ State = 'state' }, @{ State = '~/state' }) {
        Push-Location $TestDrive
        $before, $env:MSONLINEBACKUP_STATE = $env:MSONLINEBACKUP_STATE, $State
        try {
            Assert-BackupError (Get-ErrorOf { Get-OBMachineSetting }) ArgumentInvalid InvalidArgument "*MSONLINEBACKUP_STATE*'$State'*not an absolute path*"
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $before
            Pop-Location
        }

        Get-ChildItem $TestDrive | Should -BeNullOrEmpty
    }

    It 'is an error, and no empty history, for somebody who may not look into it' -Skip:(-not $isRoot) {
        $denied = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-denied-$(New-Guid)")).FullName
        try {
            $null = New-Item -ItemType Directory "$denied/jobs/$(New-Guid)"
            chmod 700 $denied
            $ids = env "HOME=$TestDrive" "MSONLINEBACKUP_STATE=$denied" setpriv --reuid=65534 --clear-groups $everybodysShell -NoProfile -NonInteractive -Command "
                Import-Module '$manifest'
                foreach (`$ask in { Get-OBJob }, { Get-OBJob -Previous 5 }) { try { & `$ask } catch { `$_.FullyQualifiedErrorId } }"
            $ids | Should -Be 'StateAccessDenied,MSOnlineBackup.Cmdlets.GetOBJobCommand', 'StateAccessDenied,MSOnlineBackup.Cmdlets.GetOBJobCommand'
        }
        finally {
            Remove-Item -LiteralPath $denied -Recurse -Force
        }
    }
}
