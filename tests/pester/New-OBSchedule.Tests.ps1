BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBSchedule' {
    AfterEach { $env:MSONLINEBACKUP_PROFILE = $null }

    It 'is Sunday at 21:00 every week if nothing is said' {
        $schedule = New-OBSchedule
        $schedule.ScheduleRunDays | Should -Be Sunday
        $schedule.ScheduleRunTimes | Should -Be ([timespan]'21:00')
        $schedule.ScheduleWeeklyFrequency | Should -Be 1
        $schedule.State | Should -Be New
    }

    It 'takes days and times as words, by position' {
        $words = @('Saturday', 'Sunday'), @('17:30', '9:00'), 2
        $schedule = New-OBSchedule @words
        $schedule.ScheduleRunDays | Should -Be Saturday, Sunday
        $schedule.ScheduleRunTimes | Should -Be ([timespan]'17:30'), ([timespan]'9:00')
        $schedule.ScheduleRunDaysToString() | Should -Be 'Saturday, Sunday'
        "$schedule" | Should -Be "5:30 PM, 9:00 AM`nSaturday, Sunday,`nEvery 2 weeks"
    }

    It 'refuses four times a day by the profile Mars, and takes them by Open' {
        $times = '6:00', '12:00', '18:00', '23:00'
        (New-OBSchedule -TimesOfDay $times).ScheduleRunTimes.Count | Should -Be 4
        $env:MSONLINEBACKUP_PROFILE = 'mars'
        $err = Get-ErrorOf { New-OBSchedule -TimesOfDay $times }
        Assert-BackupError $err PolicyLimitExceeded LimitsExceeded '*4*'
        $err.ErrorDetails.Message | Should -BeLike '*Mars*'
    }

    It 'refuses a time that no day has' {
        Assert-BackupError (Get-ErrorOf { New-OBSchedule -TimesOfDay '25:00:00:00' }) PolicyInvalid InvalidArgument
    }

    It 'names the profiles where the variable is wrong' {
        $env:MSONLINEBACKUP_PROFILE = 'strict'
        Assert-BackupError (Get-ErrorOf { New-OBSchedule }) ArgumentInvalid InvalidArgument "*'strict'*Open*Mars*"
    }

    It 'takes an interval, for all days unless some are named' {
        $schedule = New-OBSchedule -EveryMinutes 15
        $schedule.ScheduleRunDays | Should -HaveCount 7
        $schedule.ScheduleRunTimes | Should -BeNullOrEmpty
        "$schedule" | Should -BeLike 'Every 15 minutes*'
        $schedule.ScheduleRunTimesToString() | Should -BeExactly 'Every 15 minutes'
        $schedule | Out-String | Should -BeLike '*ScheduleRunTimes*: Every 15 minutes*'
        (New-OBSchedule Monday -EveryMinutes 60).ScheduleRunDays | Should -Be Monday
    }

    It 'says after which time databases are backed up whole, <Written>' -TestCases @(
        @{ Written = '90m'; Days = 0; Minutes = 90 }
        @{ Written = '12h'; Days = 0; Minutes = 720 }
        @{ Written = '2w'; Days = 14; Minutes = 0 }
        @{ Written = '1.12:00:00'; Days = 1; Minutes = 720 }
    ) {
        (New-OBSchedule -EveryMinutes 15 -FullEvery $Written).ScheduleFullEvery | Should -Be (New-TimeSpan -Days $Days -Minutes $Minutes)
    }

    It 'takes a day as it is typed' {
        (New-OBSchedule -EveryMinutes 15 -FullEvery 1d).ScheduleFullEvery | Should -Be (New-TimeSpan -Days 1)
    }

    It 'has its time between full backups in the policy, too' {
        $policy = New-OBPolicy | Set-OBSchedule -Schedule (New-OBSchedule -EveryMinutes 15 -FullEvery 2d)
        $policy.BackupSchedule.ScheduleFullEvery | Should -Be (New-TimeSpan -Days 2)
    }

    It 'refuses a bare number between full backups' {
        (Get-ErrorOf { New-OBSchedule -FullEvery 30 }).Exception.Message | Should -BeLike "*'30' is no time*1d*"
    }

    It 'refuses <What>' -TestCases @(
        @{ What = 'an interval below 15 minutes'; With = @{ EveryMinutes = 14 }; Id = 'PolicyLimitExceeded' }
        @{ What = 'an interval beside times'; With = @{ EveryMinutes = 15; TimesOfDay = '9:00' }; Id = 'PolicyInvalid' }
        @{ What = 'a zone that is not there'; With = @{ TimeZone = 'Europe/Nowhere' }; Id = 'PolicyInvalid' }
        @{ What = 'a zone beside an offset'; With = @{ TimeZone = 'Europe/Amsterdam'; FixedUtcOffset = '01:00' }; Id = 'PolicyInvalid' }
        @{ What = 'a bare number for a delay'; With = @{ RandomDelay = 30 }; Id = 'PolicyInvalid' }
        @{ What = 'half an hour between full backups'; With = @{ FullEvery = '30m' }; Id = 'PolicyInvalid' }
        @{ What = 'a delay of a day'; With = @{ RandomDelay = '24:00:00' }; Id = 'Policy*' }
    ) {
        (Get-ErrorOf { New-OBSchedule @With }).FullyQualifiedErrorId | Should -BeLike "$Id,*"
    }

    It 'refuses a word that is no day' { { New-OBSchedule -DaysOfWeek Someday } | Should -Throw -ErrorId 'CannotConvertArgument*' }

    It 'tells its times as people write them' { (New-OBSchedule -TimesOfDay 16:00, '21:00').ScheduleRunTimesToString() | Should -BeExactly '4:00 PM, 9:00 PM' }
}
