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
            'BackupSchedule  : 4:00 PM', 'Saturday, Sunday,', 'Every week'
            'DsList          : {DataSource', 'DatasourceId:0', "Name:$HOME", 'FileSpec:FileSpec', "FileSpec:$HOME", 'IsExclude:False', 'IsRecursive:True', '}'
            'PolicyName      :'
            'RetentionPolicy : Retention Days : 7', 'WeeklyLTRSchedule :', 'Weekly schedule is not set', 'MonthlyLTRSchedule :', 'Monthly schedule is not set'
            'YearlyLTRSchedule :', 'Yearly schedule is not set'
            'State           : New', 'PolicyState     : Valid')
    }

    It 'shows a retention without rules' { New-OBRetentionPolicy 7 | Out-String | Should -BeLike '*Weekly schedule is not set*Monthly schedule is not set*Yearly schedule is not set*' }

    It 'shows a schedule' { New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 16:00 | Out-String | Should -BeLike '*{Saturday}*16:00:00*Every week*New*' }

    It 'shows a policy as a row where a table is asked for' {
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        $policy.BackupSchedule = New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 16:00
        $policy.RetentionPolicy = New-OBRetentionPolicy 7
        $policy | Format-Table | Out-String -Width 120 | Should -Match "New +Valid +4:00 PM Sat +7 $([regex]::Escape($HOME))"
    }

    It 'shows what a network must let through within 120 columns, and no word broken' {
        $text = (Get-OBRequiredEndpoint | Out-String -Width 120) -replace '\x1b\[[\d;]*m'
        $text -split "`n" | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 120 }
        foreach ($endpoint in Get-OBRequiredEndpoint) {
            foreach ($part in @($endpoint.AddressRanges) + $endpoint.ServiceTag + $endpoint.Endpoint + $endpoint.Purpose.Split(' ') | Where-Object { $_ }) {
                $text | Should -BeLike "*$part*"
            }
        }
    }

    It 'breaks no word of a list at 80 columns, whatever the language' {
        $before = [cultureinfo]::CurrentCulture
        [cultureinfo]::CurrentCulture = [cultureinfo]::InvariantCulture
        try { $text = (Get-OBErrorHelp VaultUnreachable | Out-String -Width 80) -replace '\x1b\[[\d;]*m' }
        finally { [cultureinfo]::CurrentCulture = $before }
        $help = Get-OBErrorHelp VaultUnreachable
        $shown = $text -split '\s+'
        $help.Meaning.Split(' ') + $help.Causes.Split(' ') + $help.RecommendedAction.Split(' ') | ForEach-Object { $_ | Should -BeIn $shown }
    }

    It 'shows times as they can be typed, under any calendar' {
        $before = [cultureinfo]::CurrentCulture
        [cultureinfo]::CurrentCulture = 'ar-SA'
        try { Get-OBNotification | Format-Table | Out-String | Should -Match " $([datetime]::UtcNow.Year)-\d\d-\d\d \d\d:\d\d:\d\dZ " }
        finally { [cultureinfo]::CurrentCulture = $before }
    }
}
