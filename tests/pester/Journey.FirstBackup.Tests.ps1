BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

# examples/First-Backup.ps1 as a user runs it, in a session of its own; only the module is the one that is tested.
Describe 'A first backup' {
    It 'goes from a vault to a recovered file, and leaves nothing behind' {
        $temporary = (New-Item -ItemType Directory -Path "$TestDrive/tmp").FullName
        $example = (Get-Content "$PSScriptRoot/../../examples/First-Backup.ps1" -Raw).Replace('$PSScriptRoot/../MSOnlineBackup.psd1', $manifest)
        $example | Should -BeLike "*$manifest*"
        Set-Content "$TestDrive/First-Backup.ps1" $example

        $lines = Invoke-FreshPowerShell "
            `$env:TMPDIR = `$env:TEMP = `$env:TMP = '$temporary'
            `$ErrorActionPreference = 'Stop'
            & '$TestDrive/First-Backup.ps1' | Out-String -Stream
            'state: ' + `$env:MSONLINEBACKUP_STATE"

        $lines | Should -Contain 'report.txt is again: as it was'
        $lines | Should -Contain "state: $env:MSONLINEBACKUP_STATE"
        Get-ChildItem $temporary -Filter first-backup-* | Should -BeNullOrEmpty
    }
}
