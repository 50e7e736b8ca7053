BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBPolicy' {
    It 'makes a draft without anything in it' {
        $policy = New-OBPolicy
        $policy | Should -BeOfType MSOnlineBackup.OBPolicy
        $policy.State | Should -Be New
        $policy.PolicyState | Should -Be Valid
        $policy.PolicyName | Should -BeNullOrEmpty
        $policy.DsList | Should -BeNullOrEmpty
        $policy.BackupSchedule | Should -BeNullOrEmpty
        $policy.RetentionPolicy | Should -BeNullOrEmpty
    }

    It 'lets scripts assign schedule and retention' {
        $policy = New-OBPolicy
        $policy.BackupSchedule = New-OBSchedule
        $policy.RetentionPolicy = New-OBRetentionPolicy -RetentionDays 10
        ($policy | Get-OBSchedule).ScheduleRunDaysToString() | Should -Be 'Sunday'
        ($policy | Get-OBRetentionPolicy).RetentionDays | Should -Be 10
    }
}
