BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A policy that is paused for some days' {
    It 'was registered, saved and run before' {
        $null = Initialize-TestMachine $work
        $null = Save-TestPolicy (New-TestTree "$work/src")
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        Get-OBNotification | Where-Object Message -NotLike 'Nothing runs the schedule*' | Should -BeNullOrEmpty
    }

    It 'is paused, and every session is told so' {
        (Get-OBPolicy | Set-OBPolicyState -State Paused -Confirm:$false).PolicyState | Should -Be Paused
        Invoke-FreshPowerShell "Import-Module '$manifest'; (Get-OBPolicy | Get-OBPolicyState).State; (Get-OBNotification).ErrorId" | Should -Be Paused, PolicyPaused
        (Get-OBNotification).RecommendedAction | Should -BeLike '*Set-OBPolicyState -State Valid*'
    }

    It 'stays paused when it is changed meanwhile' {
        $policy = Get-OBPolicy
        $policy.RetentionPolicy.RetentionDays = 60
        $null = Set-OBPolicy $policy -Confirm:$false
        (Get-OBPolicy).PolicyState | Should -Be Paused
    }

    It 'keeps its recovery points, and what they hold can be recovered' {
        $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem) a.txt -IsDir $false
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
    }

    It 'is run all the same by who asks for it: the schedule is paused, nobody''s wish' {
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        Get-OBAllRecoveryPoints | Should -HaveCount 2
        (Get-OBPolicy).PolicyState | Should -Be Paused
    }

    It 'goes on as it was, with what was changed meanwhile' {
        $name = (Get-OBPolicy).PolicyName
        $null = Get-OBPolicy | Set-OBPolicyState -State Valid -Confirm:$false
        $policy = Get-OBPolicy
        $policy.PolicyName | Should -Be $name
        $policy.PolicyState | Should -Be Valid
        $policy.RetentionPolicy.RetentionDays | Should -Be 60
        $policy.BackupSchedule.ScheduleRunTimes | Should -Be ([timespan]'17:30')
        Get-OBNotification | Where-Object Message -NotLike 'Nothing runs the schedule*' | Should -BeNullOrEmpty

        Set-Content -LiteralPath "$work/src/a.txt" -Value 'changed in the pause' -NoNewline
        (Invoke-TestBackup).JobStatus.DatasourceStatus[0].FileProgress.Changed | Should -BeGreaterThan 0
        Get-OBAllRecoveryPoints | Should -HaveCount 3
    }
}
