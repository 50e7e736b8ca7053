BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Set-OBSchedule' {
    It 'changes the draft and returns it' {
        $policy = New-OBPolicy
        $schedule = New-OBSchedule -DaysOfWeek Monday
        $returned = Set-OBSchedule -Policy $policy -Schedule $schedule
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.BackupSchedule.ScheduleRunDays | Should -Be Monday
    }

    It 'takes the policy, or the schedule, from the pipeline' {
        (New-OBPolicy | Set-OBSchedule -Schedule (New-OBSchedule)).BackupSchedule | Should -Not -BeNullOrEmpty
        (New-OBSchedule | Set-OBSchedule -Policy (New-OBPolicy)).BackupSchedule | Should -Not -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf' {
        (New-OBPolicy | Set-OBSchedule -Schedule (New-OBSchedule) -WhatIf).BackupSchedule | Should -BeNullOrEmpty
    }
}
