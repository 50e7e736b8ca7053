BeforeDiscovery { $isRoot = $IsLinux -and (id -u) -eq 0 }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $shell = (Get-Process -Id $PID).Path
    $write = "Import-Module '$manifest'; Set-OBMachineSetting -NoThrottle 6> `$null"
}
AfterAll { Remove-TestState }

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
            env -u MSONLINEBACKUP_STATE "HOME=$user" "XDG_STATE_HOME=$place" @as $shell -NoProfile -NonInteractive -Command $write
            "$user/$Folder/msonlinebackup/settings.json" | Should -Exist
        }
        finally {
            Remove-Item -LiteralPath $user -Recurse -Force
        }
    }
}
