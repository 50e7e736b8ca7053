BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBRetentionPolicy' {
    AfterEach { $env:MSONLINEBACKUP_PROFILE = $null }

    It 'takes any number of days, by position' {
        $retention = New-OBRetentionPolicy 32
        $retention.RetentionDays | Should -Be 32
        $retention.State | Should -Be New
        $retention.WeeklyLTRSchedule | Should -BeNullOrEmpty
    }

    It 'takes rules for weeks, months and years as published scripts write them' {
        $retention = New-OBRetentionPolicy -RetentionDays 32 -RetentionWeeklyPolicy -RetentionWeeks 13 -WeekDaysOfWeek Sunday -WeekTimesOfDay 21:00 `
            -RetentionMonthlyPolicy -RetentionMonths 13 -MonthDaysOfMonth 1, 0 -MonthTimesOfDay 21:00 `
            -RetentionYearlyPolicy -RetentionYears 10 -YearMonthsOfYear March, 12 -YearDaysOfWeek Sunday -YearWeeksOfMonth Last -YearTimesOfDay '21:00'
        $retention.WeeklyLTRSchedule.RetentionRange | Should -Be (13 * 7)
        $retention.MonthlyLTRSchedule.RetentionRange | Should -Be (13 * 31)
        $retention.YearlyLTRSchedule.RetentionRange | Should -Be (10 * 366)
        $retention.YearlyLTRSchedule.MonthsOfYear | Should -Be March, December
        "$retention" | Should -BeLike "Retention Days : 32*Sunday, 9:00 PM, for 13 weeks*Day 1, Last day, 9:00 PM, for 13 months*Last Sunday, of March, December, 9:00 PM, for 10 years*"
    }

    It 'refuses details of a rule that is not asked for' {
        $err = Get-ErrorOf { New-OBRetentionPolicy -RetentionDays 30 -RetentionWeeks 13 }
        Assert-BackupError $err ArgumentInvalid InvalidArgument '-RetentionWeeks has no effect without -RetentionWeeklyPolicy*'
    }

    It 'refuses a rule that names no day' {
        Assert-BackupError (Get-ErrorOf { New-OBRetentionPolicy -RetentionWeeklyPolicy -RetentionWeeks 13 }) PolicyIncomplete InvalidArgument
    }

    It 'refuses <Name> = <Value> by the profile Mars' -TestCases @(
        @{ Name = 'days'; Value = 6; Arguments = @{ RetentionDays = 6 } }
        @{ Name = 'days'; Value = 10000; Arguments = @{ RetentionDays = 10000 } }
        @{ Name = 'weeks'; Value = 3; Arguments = @{ RetentionWeeklyPolicy = $true; WeekDaysOfWeek = 'Sunday'; RetentionWeeks = 3 } }
        @{ Name = 'weeks'; Value = 5164; Arguments = @{ RetentionWeeklyPolicy = $true; WeekDaysOfWeek = 'Sunday'; RetentionWeeks = 5164 } }
        @{ Name = 'months'; Value = 2; Arguments = @{ RetentionMonthlyPolicy = $true; MonthDaysOfMonth = 1; RetentionMonths = 2 } }
        @{ Name = 'months'; Value = 1189; Arguments = @{ RetentionMonthlyPolicy = $true; MonthDaysOfMonth = 1; RetentionMonths = 1189 } }
        @{ Name = 'years'; Value = 0; Arguments = @{ RetentionYearlyPolicy = $true; YearMonthsOfYear = 'March'; YearDaysOfMonth = 1; RetentionYears = 0 } }
        @{ Name = 'years'; Value = 100; Arguments = @{ RetentionYearlyPolicy = $true; YearMonthsOfYear = 'March'; YearDaysOfMonth = 1; RetentionYears = 100 } }
    ) {
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        $err = Get-ErrorOf { New-OBRetentionPolicy @Arguments }
        Assert-BackupError $err PolicyLimitExceeded LimitsExceeded '*Mars*'
        $err.ErrorDetails.Message -replace ',' | Should -BeLike "*$Value*"
    }

    It 'takes the least and the most that Mars takes: <Days> days' -TestCases @{ Days = 7 }, @{ Days = 9999 } {
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        (New-OBRetentionPolicy -RetentionDays $Days).RetentionDays | Should -Be $Days
    }

    It 'says the number of the original for what is kept too short' {
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        $err = Get-ErrorOf { New-OBRetentionPolicy -RetentionDays 6 }
        $err.Exception.ErrorCode | Should -Be '0x29834'
        $err.ErrorDetails.Message | Should -BeLike '*0x29834*'
    }

    It 'takes what published scripts leave out, and says what: <Given>' -TestCases @(
        @{ Given = 'days of the week without a week'; Says = '*MonthWeeksOfMonth*first week*'; Rule = 'MonthlyLTRSchedule'; Property = 'WeeksOfMonth'; Value = 'First'
            Make = { New-OBRetentionPolicy -RetentionDays 30 -RetentionMonthlyPolicy -MonthDaysOfWeek Saturday -MonthTimesOfDay 17:30 -RetentionMonths 60 } }
        @{ Given = 'a month without a day'; Says = '*MonthDaysOfMonth*first day*'; Rule = 'MonthlyLTRSchedule'; Property = 'DaysOfMonth'; Value = 1
            Make = { New-OBRetentionPolicy -RetentionDays 30 -RetentionMonthlyPolicy -RetentionMonths 60 } }
        @{ Given = 'a year without a month'; Says = '*YearMonthsOfYear*January*'; Rule = 'YearlyLTRSchedule'; Property = 'MonthsOfYear'; Value = 'January'
            Make = { New-OBRetentionPolicy -RetentionDays 30 -RetentionYearlyPolicy -YearDaysOfWeek Saturday -YearWeeksOfMonth First -YearTimesOfDay 17:30 -RetentionYears 10 } }
    ) {
        $retention = & $Make 3>&1 | ForEach-Object { if ($_ -is [System.Management.Automation.WarningRecord]) { $said = "$_" } else { $_ } }
        $retention.$Rule.$Property | Should -Be $Value
        $said | Should -BeLike $Says
    }

    It 'warns of <Days> days, which the original refuses' -TestCases @(@{ Days = 6 }, @{ Days = 10000 }) {
        $null = New-OBRetentionPolicy -RetentionDays $Days -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike "*daily retention*profile Mars*7 to 9,999*"
    }
}
