BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    Initialize-TestMachine $work
    $null = New-TestTree "$work/src"
    $null = New-TestTree "$work/other"
    $policy = Save-TestPolicy "$work/src", "$work/other"
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBBackup' {
    It 'says the documented lines to people and returns the job to scripts' {
        $lines = [System.Collections.Generic.List[string]]::new()
        $job = Get-OBPolicy | Start-OBBackup 6>&1 | ForEach-Object {
            if ($_ -is [System.Management.Automation.InformationRecord]) { $_.Tags | Should -Contain PSHOST; $lines.Add("$_") } else { $_ }
        }
        $lines | Should -Be @(
            'Initializing', 'Preparing storage...', 'Estimating size of backup items...', 'Transferring data...', 'Data transfer completed'
            'Job completed.', 'The backup operation completed successfully.')
        $job | Should -BeOfType MSOnlineBackup.OBJob
        $job.JobStatus.JobState | Should -Be Completed
        $job.JobType | Should -Be Backup
        $job.JobStatus.StartTime.Kind | Should -Be Utc
        $job.JobStatus.EndTime | Should -BeGreaterOrEqual $job.JobStatus.StartTime
        $job.JobStatus.ErrorInfo.ErrorCode | Should -Be 0
        $job.JobStatus.DatasourceStatus.Datasource.DataSourceName | Sort-Object | Should -Be @("$work/other", "$work/src")
        $job.JobStatus.DatasourceStatus[0].FileProgress.Progress | Should -Be 2
        $job.JobStatus.DatasourceStatus[0].ByteProgress.Progress | Should -BeGreaterThan 0
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Contain $job.RecoveryPointId
    }

    It 'runs the machine''s scripts around snapshots, and warns where one fails' -Skip:$IsWindows {
        $file = New-TestScript "$work/scripts"
        $null = Set-OBMachineSetting -ScriptFile $file 6> $null
        Set-Content "$work/scripts/pre.sh" "#!/bin/sh`necho no luck >&2; exit 1"
        Set-Content "$work/scripts/post.sh" "#!/bin/sh`necho ran >>'$work/scripts/log'"
        $job = Get-OBPolicy | Start-OBBackup 6> $null 3> $null
        $null = Set-OBMachineSetting -NoScript 6> $null
        $job.JobStatus.JobState | Should -Be CompletedWithWarning
        $job.JobStatus.Warnings | Should -HaveCount 1
        $job.JobStatus.Warnings[0] | Should -BeLike "The pre-script '*pre.sh' ended with status 1: no luck"
        Get-Content "$work/scripts/log" | Should -BeExactly ran
        $point = Get-OBAllRecoveryPoints | Where-Object RecoveryPointId -EQ $job.RecoveryPointId
        $point.ConsistencyReason | Should -BeLike "The pre-script*"
    }

    It 'names a lost source by an error, beside the job' {
        Rename-Item "$work/other" "$work/other.renamed"
        $job = Get-OBPolicy | Start-OBBackup 6> $null 3> $null -ErrorAction SilentlyContinue -ErrorVariable lost
        Rename-Item "$work/other.renamed" "$work/other"
        $job.JobStatus.JobState | Should -Be CompletedWithWarning
        $job.JobStatus.ErrorInfo.ErrorId | Should -Be SourceNotFound
        $lost | Should -HaveCount 1
        Assert-BackupError $lost[0] SourceNotFound ObjectNotFound "*$work/other*"
        (Get-OBNotification).Where{ $_.Severity -eq 'Error' }.Message | Should -BeLike "*$work/other*"
    }

    It 'backs up by the name of the policy' {
        (Start-OBBackup $policy.PolicyName 6> $null).JobStatus.JobState | Should -Be Completed
        (Start-OBBackup -Name $policy.PolicyName 6> $null).JobStatus.JobState | Should -Be Completed
    }

    It 'takes a policy by position' {
        (Start-OBBackup $policy 6> $null).JobStatus.JobState | Should -Be Completed
    }

    It 'backs up the sources that -Volumes names, and no other' {
        $job = $policy | Start-OBBackup -Volumes "$work/other" 6> $null
        $job.JobStatus.DatasourceStatus.Datasource.DataSourceName | Should -Be "$work/other"
        (Get-OBAllRecoveryPoints)[0].DataSources | Should -Be "$work/other"
    }

    It 'refuses what is not a source of the policy' {
        $problem = Get-ErrorOf { $policy | Start-OBBackup -Volumes "$work/nowhere" 6> $null }
        Assert-BackupError $problem ArgumentInvalid InvalidArgument "*$work/nowhere*not a source*"
    }

    It 'does nothing with -WhatIf' {
        $before = @(Get-OBJob -Previous 100).Count
        $policy | Start-OBBackup -WhatIf | Should -BeNullOrEmpty
        $policy | Start-OBBackup -Async -WhatIf | Should -BeNullOrEmpty
        @(Get-OBJob -Previous 100).Count | Should -Be $before
    }

    It 'refuses a draft' {
        $problem = Get-ErrorOf { New-OBPolicy | Start-OBBackup }
        Assert-BackupError $problem PolicyInvalid InvalidArgument '*draft*'
    }

    It 'refuses a policy that was changed and not saved' {
        $changed = Get-OBPolicy
        $null = Remove-OBFileSpec -Policy $changed -FileSpec (New-OBFileSpec -FileSpec "$work/other")
        $problem = Get-ErrorOf { $changed | Start-OBBackup }
        Assert-BackupError $problem PolicyInvalid InvalidArgument '*differs from the saved one*'
    }

    It 'refuses a name that no policy has' {
        Assert-BackupError (Get-ErrorOf { Start-OBBackup -Name ([guid]::Empty) }) PolicyNotFound ObjectNotFound
    }

    It 'does not pass over an empty pipeline' {
        Assert-BackupError (Get-ErrorOf { @() | Start-OBBackup }) PolicyNotFound ObjectNotFound '*pipeline*'
    }

    It 'refuses to keep a point until a time that is over' {
        Assert-BackupError (Get-ErrorOf { $policy | Start-OBBackup -RetainUntil (Get-Date).AddDays(-1) }) ArgumentInvalid InvalidArgument
    }

    It 'makes what it stores smaller where that is asked for' {
        $sizes = foreach ($level in 'Fastest', 'Better') {
            $null = New-Item "$work/other/text" -ItemType Directory -Force
            # The words differ, so that the second is not known from the first.
            $words = 1..2000 | ForEach-Object { "$level$($_ * 7919 % 1009)" }
            1..60 | ForEach-Object { $words | Get-Random -Count 1000 -SetSeed $_ } | Set-Content "$work/other/text/$level"
            ($policy | Start-OBBackup -Compression $level 6> $null).JobStatus.StoredBytes
        }
        Remove-Item "$work/other/text" -Recurse
        $sizes[1] | Should -BeLessThan $sizes[0]
    }

    It 'refuses a level that there is not' {
        { $policy | Start-OBBackup -Compression Sometimes } | Should -Throw -ErrorId 'CannotConvertArgumentNoMessage,*'
    }

    It 'hands the job to a process of its own with -Async' {
        $job = $policy | Start-OBBackup -Async
        $job | Should -BeOfType MSOnlineBackup.OBJob
        Wait-TestJob
        (Get-OBJob -Previous 1).JobId | Should -Be $job.JobId
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
    }

    It 'fails with the vault''s error, and the job keeps it' {
        Rename-Item "$work/vault" away
        try {
            $problem = Get-ErrorOf { $policy | Start-OBBackup 6> $null }
        }
        finally {
            Rename-Item "$work/away" vault
        }

        $problem.FullyQualifiedErrorId | Should -BeLike 'Vault*,MSOnlineBackup.Cmdlets.StartOBBackupCommand'
        $job = Get-OBJob -Previous 1
        $job.JobStatus.JobState | Should -Be Failed
        $job.JobStatus.ErrorInfo.ErrorId | Should -Be $problem.Exception.Id
        $job.JobStatus.ErrorInfo.ErrorCode | Should -Not -Be 0
    }

    It 'backs up by the policy of the machine where none is given' { (Start-OBBackup 6> $null).JobStatus.JobState | Should -Be Completed }

    It 'passes over a paused policy where a timer asks' {
        $null = Get-OBPolicy | Set-OBPolicyState -State Paused
        try {
            Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Start-OBBackup -Scheduled }) PolicyPaused InvalidOperation
            (Get-OBPolicy | Start-OBBackup 6> $null).JobStatus.JobState | Should -Be Completed
        }
        finally {
            $null = Get-OBPolicy | Set-OBPolicyState -State Valid
        }

        (Get-OBPolicy | Start-OBBackup -Scheduled 6> $null).JobStatus.JobState | Should -Be Completed
    }
}
