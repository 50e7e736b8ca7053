BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Formatting' {
    It 'shows a draft as the original does' {
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        $policy.BackupSchedule = New-OBSchedule -DaysOfWeek Saturday, Sunday -TimesOfDay 16:00
        $policy.RetentionPolicy = New-OBRetentionPolicy 7
        $text = $policy | Out-String -Width 200
        $lines = ($text -replace '\x1b\[[\d;]*m').Split("`n").Trim() | Where-Object { $_ }
        $lines | Should -Be @(
            'BackupSchedule  : 4:00 PM', 'Saturday, Sunday,', 'Every 1 week(s)'
            'DsList          : {DataSource', 'DatasourceId:0', "Name:$HOME", 'FileSpec:FileSpec', "FileSpec:$HOME", 'IsExclude:False', 'IsRecursive:True', '}'
            'PolicyName      :'
            'RetentionPolicy : Retention Days : 7', 'WeeklyLTRSchedule :', 'Weekly schedule is not set', 'MonthlyLTRSchedule :', 'Monthly schedule is not set'
            'YearlyLTRSchedule :', 'Yearly schedule is not set'
            'State           : New', 'PolicyState     : Valid')
    }

    It 'shows a retention without rules' { New-OBRetentionPolicy 7 | Out-String | Should -BeLike '*Weekly schedule is not set*Monthly schedule is not set*Yearly schedule is not set*' }

    It 'shows a schedule' { New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 16:00 | Out-String | Should -BeLike '*{Saturday}*{16:00:00}*Every 1 week(s)*New*' }
}
