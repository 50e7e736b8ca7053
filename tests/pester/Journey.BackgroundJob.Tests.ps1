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

Describe 'A job in the background' {
    It 'goes on when the session that started it has ended, and others follow it to its end' {
        $id = Invoke-FreshPowerShell "Import-Module '$manifest'; (Get-OBPolicy | Start-OBBackup -Async).JobId.Guid"
        $seen = Get-OBJob
        "$($seen.JobId)" | Should -Be $id -Because 'it still runs'
        $seen.JobStatus.JobState | Should -Not -Be Completed
        Wait-TestJob
        $ended = Invoke-FreshPowerShell "Import-Module '$manifest'; Get-OBJob -Previous 1 | ForEach-Object { `$_.JobId.Guid; `$_.JobStatus.JobState; `$_.JobStatus.DatasourceStatus[0].FileProgress.Progress }"
        $ended | Should -Be $id, Completed, 16
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be (Get-OBJob -Previous 1).RecoveryPointId
    }
}
