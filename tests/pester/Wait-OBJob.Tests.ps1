BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src") 3> $null
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Wait-OBJob' {
    It 'returns a job of the background when it has ended' {
        $job = Get-OBPolicy | Start-OBBackup -Async | Wait-OBJob
        $job | Should -BeOfType MSOnlineBackup.OBJob
        $job.JobStatus.JobState | Should -Be Completed
        Get-OBJob | Should -BeNullOrEmpty
    }

    It 'returns one that has ended as it is, also by its id' {
        $last = Get-OBJob -Previous 1
        (Wait-OBJob $last.JobId -Timeout 0).JobId | Should -Be $last.JobId
    }

    It 'says that there is no such job' { Assert-BackupError (Get-ErrorOf { Wait-OBJob (New-Guid) }) JobNotFound ObjectNotFound }
}
