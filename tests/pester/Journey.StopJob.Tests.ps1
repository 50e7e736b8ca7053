BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = New-LargeTestTree "$work/src"
    $policy = Save-TestPolicy "$work/src"
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A job that takes its time' {
    It 'is seen from here, and stopped in order' {
        $job = $policy | Start-OBBackup -Async
        (Get-OBJob).JobId | Should -Be $job.JobId
        Get-OBJob | Stop-OBJob -WhatIf | Should -BeNullOrEmpty
        $offered = Get-Completion 'Stop-OBJob -Job ' | Where-Object ResultType -EQ ParameterValue
        $offered.CompletionText | Should -Be "$($job.JobId)"
        $offered.ToolTip | Should -BeLike 'Backup of *: InProgress*'

        $stopped = Get-OBJob | Stop-OBJob -Confirm:$false
        $stopped.JobId | Should -Be $job.JobId
        $stopped.JobStatus.JobState | Should -Be Aborted
        Get-OBJob | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
        (Stop-OBJob $job.JobId).JobStatus.JobState | Should -Be Aborted -Because 'one that has ended is returned as it is'
    }

    It 'shows a bar with percent, pace and what is left' {
        $session = [powershell]::Create()
        try {
            $null = $session.AddCommand('Import-Module').AddArgument((Get-Module MSOnlineBackup).Path.Replace('module/MSOnlineBackup.psm1', 'MSOnlineBackup.psd1')).AddStatement()
            $null = $session.AddScript('Get-OBPolicy | Start-OBBackup 6> $null')
            $job = $session.Invoke()
            $all = @($session.Streams.Progress)
            $bars = $all | Where-Object Activity -EQ "Backing up $work/src"
        }
        finally {
            $session.Dispose()
        }

        $job.JobStatus.JobState | Should -Be Completed
        $bars.StatusDescription | Where-Object { $_ -like '*/s' } | Should -Not -BeNullOrEmpty
        $all[-1].RecordType | Should -Be Completed -Because 'nothing stays on the screen'
    }

    It 'sends little again after it was stopped' {
        $before = @(Get-OBAllRecoveryPoints).Count
        $job = Invoke-TestBackup
        $job.JobStatus.JobState | Should -Be Completed
        $job.JobStatus.NewBytes | Should -BeLessThan 1MB
        Get-OBAllRecoveryPoints | Should -HaveCount ($before + 1)
    }
}
