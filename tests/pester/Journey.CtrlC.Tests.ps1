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
        @{ When = 'when it has just begun'; Reached = { Get-OBJob } }
        @{ When = 'while data are transferred'; Reached = { (Get-OBJob).JobStatus.NewBytes } }
    ) {
        # Nobody has a job yet: what a field of nothing is, strictness does not say.
        Set-StrictMode -Off
        $shell = Start-Process (Get-Process -Id $PID).Path '-NoProfile', '-NonInteractive', '-Command', "`"Import-Module '$manifest'; Get-OBPolicy | Start-OBBackup`"" -PassThru -RedirectStandardOutput "$work/out.txt" -RedirectStandardError "$work/err.txt"
        for ($i = 0; -not (& $Reached) -and $i -lt 600 -and -not $shell.HasExited; $i++) { Start-Sleep -Milliseconds 50 }
        $job = Get-OBJob
        $job | Should -Not -BeNullOrEmpty -Because "it runs: $(Get-Content "$work/err.txt" -Raw)"
        & kill -INT $shell.Id
        $shell.WaitForExit(60000) | Should -BeTrue
        $ended = Get-OBJob -Previous 1
        $ended.JobId | Should -Be $job.JobId
        $ended.JobStatus.JobState | Should -Be Aborted
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
    }

    It 'costs nothing that had arrived: the next backup sends little of it again' {
        $job = Invoke-TestBackup
        $job.JobStatus.JobState | Should -Be Completed
        $job.JobStatus.NewBytes | Should -BeLessThan 64MB
        Get-OBAllRecoveryPoints | Should -HaveCount 1
    }
}
