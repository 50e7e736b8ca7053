BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = New-LargeTestTree "$work/src"
    $null = Save-TestPolicy "$work/src"
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

# Ctrl+C in a terminal is SIGINT to the process that runs there.
Describe 'Ctrl+C' -Skip:$IsWindows {
    It 'stops a backup in order <When>' -TestCases @(
        @{ When = 'when it has just begun'; Line = 'Initializing' }
        @{ When = 'while data are transferred'; Line = 'Transferring data...' }
    ) {
        $before = @(Get-OBJob -Previous 9).Count
        $session = Start-TestBackupSession $work -Until $Line
        & kill -INT $session.Id
        $session.WaitForExit(60000) | Should -BeTrue
        Get-OBJob -Previous 9 | Should -HaveCount ($before + 1)
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Aborted
        Get-OBJob | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
    }

    It 'costs nothing that had arrived: the next backup sends little of it again' {
        $arrived = ((Get-OBJob -Previous 9).JobStatus.NewBytes | Measure-Object -Sum).Sum
        $job = Invoke-TestBackup
        $job.JobStatus.JobState | Should -Be Completed

        # How far they came is chance. Where they stopped within a file it was cut, and the chunks there are new.
        $job.JobStatus.NewBytes | Should -BeLessThan (64MB - $arrived + 16MB)
        Get-OBAllRecoveryPoints | Should -HaveCount 1
    }

    It 'stops a copy to a twin, which goes on with the next one' {
        $twin = (New-OBVault "$work/twin" -TwinOf "$work/vault").Location
        $script = "Import-Module '$manifest'; Copy-OBVault -Destination '$twin'"
        $session = Start-Process $shell '-NoProfile', '-NonInteractive', '-Command', "`"$script`"" -PassThru -RedirectStandardOutput "$work/out.txt" -RedirectStandardError "$work/err.txt"
        while (-not $session.HasExited -and -not (Get-ChildItem $twin -Recurse -File | Where-Object FullName -Like '*/packs/*')) {
            Start-Sleep -Milliseconds 5
        }

        & kill -INT $session.Id
        $session.WaitForExit(60000) | Should -BeTrue

        # How far it came is chance; what has arrived is whole, and the rest comes now.
        $result = Copy-OBVault -Destination $twin
        $result.PointsCopied + $result.PointsThere | Should -Be 1
        $result.Bytes | Should -BeLessThan 64MB
        (Copy-OBVault -Destination $twin).BytesStored | Should -Be 0
        (Get-OBVault $twin).RecoveryPoints | Should -Be 1
    }
}
