BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $job = Invoke-TestBackup
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

# How a running job is stopped, Journey.StopJob.Tests.ps1 shows.
Describe 'Stop-OBJob' {
    It 'returns a job that has ended as it is' {
        (Stop-OBJob -Job $job).JobStatus.JobState | Should -Be Completed
        ($job | Stop-OBJob).JobId | Should -Be $job.JobId
        (Stop-OBJob $job.JobId).JobId | Should -Be $job.JobId
        (Stop-OBJob "$($job.JobId)").JobId | Should -Be $job.JobId
    }

    It 'says which job is not there' {
        Assert-BackupError (Get-ErrorOf { Stop-OBJob ([guid]::NewGuid()) }) JobNotFound ObjectNotFound
    }

    It 'asks by default' {
        [System.Management.Automation.CommandMetadata]::new((Get-Command Stop-OBJob)).ConfirmImpact | Should -Be High
    }

    It 'does not complete the ids of jobs that have ended' {
        Get-Completion 'Stop-OBJob -Job ' | Where-Object ResultType -EQ ParameterValue | Should -BeNullOrEmpty
    }
}
