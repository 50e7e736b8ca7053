BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBSchedule' {
    It 'returns the schedule of the policy itself' {
        $policy = New-OBPolicy | Set-OBSchedule -Schedule (New-OBSchedule)
        ($policy | Get-OBSchedule).ScheduleRunTimes = [timespan[]]'10:00'
        $policy.BackupSchedule.ScheduleRunTimes | Should -Be ([timespan]'10:00')
    }

    It 'returns nothing where there is none' { New-OBPolicy | Get-OBSchedule | Should -BeNullOrEmpty }
}
