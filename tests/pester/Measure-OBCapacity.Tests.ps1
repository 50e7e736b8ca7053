BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
}
AfterAll { Remove-TestState }

Describe 'Measure-OBCapacity' {
    It 'advises twice the protected bytes for a tenth a day and ten days' {
        $plan = Measure-OBCapacity -ProtectedBytes 1TB -DailyChange 10% -RetentionDays 10
        $plan.RequiredBytes, $plan.FullBytes, $plan.ChangeBytes, $plan.RecoveryPoints | Should -Be 2TB, 1TB, 1TB, 11
        $plan.PoolBytes, $plan.DaysUntilFull, $plan.FullOn, $plan.StoredBytes | Should -Be $null, $null, $null, $null
    }

    It 'takes sizes as numbers and as text, and shares as percentages and as fractions' {
        foreach ($size in 1TB, '1TB', 1099511627776) {
            foreach ($share in '10%', '10 %', 0.1, '0.1') {
                (Measure-OBCapacity -ProtectedBytes $size -DailyChange $share -RetentionDays 10).RequiredBytes | Should -Be 2TB
            }
        }
    }

    It 'computes <Days> days, <Weeks> weeks, <Months> months and <Years> years' -ForEach @(
        @{ Days = 10; Weeks = 4; Months = 0; Years = 0; Required = 3387306 }
        @{ Days = 7; Weeks = 0; Months = 2; Years = 0; Required = 3573219 }
        @{ Days = 1; Weeks = 0; Months = 0; Years = 0; Required = 1100000 }
    ) {
        (Measure-OBCapacity 1000000 10% -RetentionDays $Days -RetentionWeeks $Weeks -RetentionMonths $Months -RetentionYears $Years).RequiredBytes | Should -Be $Required
    }

    It 'reckons with deduplication, growth and a pool' {
        (Measure-OBCapacity 1TB 10% -RetentionDays 10 -ReductionRatio 2).RequiredBytes | Should -Be 1TB
        (Measure-OBCapacity 1000000 10% -RetentionDays 1 -GrowthPerYear 20% -Years 1).RequiredBytes | Should -Be 1319775
        $plan = Measure-OBCapacity 1TB 10% -RetentionDays 10 -PoolBytes 1.5TB
        $plan.DaysUntilFull | Should -Be 6
        $plan.FullOn | Should -BeGreaterThan ([datetime]::UtcNow.AddDays(5))
    }

    It 'shows a pool only where there is one' {
        $text = Measure-OBCapacity 1TB 10% -RetentionDays 10 -PoolBytes 1.5TB | Out-String
        $text | Should -Match 'RequiredBytes +: 2.199.023.255.552'
        $text | Should -Match 'DailyChange +: 10 %'
        $text | Should -Match 'DaysUntilFull +: 6 \(\d{4}-\d\d-\d\d\)'
        Measure-OBCapacity 1TB 10% -RetentionDays 10 -PoolBytes 10TB | Out-String | Should -Match 'DaysUntilFull +: not within a hundred years'
        Measure-OBCapacity 1TB 10% -RetentionDays 10 | Out-String | Should -Not -Match 'Pool|DaysUntilFull|StoredBytes'
    }

    It 'refuses what cannot be' {
        foreach ($call in { Measure-OBCapacity -5 10% }, { Measure-OBCapacity 1TB 150% }, { Measure-OBCapacity 1TB -1% }, { Measure-OBCapacity 1TB ten }, { Measure-OBCapacity 1TB 10% -RetentionDays 0 },
            { Measure-OBCapacity 1TB }, { Measure-OBCapacity -DailyChange 10% }, { Measure-OBCapacity 9PB 10% -RetentionDays 30000 -GrowthPerYear 10 -Years 99 }) {
            Assert-BackupError (Get-ErrorOf $call) ArgumentInvalid InvalidArgument
        }
    }

    It 'takes from a vault what is not given' {
        $vault = Initialize-TestMachine $TestDrive
        $source = New-TestTree "$TestDrive/src"
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec $source) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy
        $null = $policy | Start-OBBackup 6> $null
        $bytes = (Get-ChildItem $source -Recurse -File | Measure-Object Length -Sum).Sum
        $plan = Get-OBVault | Measure-OBCapacity -DailyChange 10% -RetentionDays 10
        $plan.ProtectedBytes | Should -Be $bytes
        $plan.StoredBytes | Should -Be (Get-OBMachineUsage).StorageUsedByMachineInBytes
        $plan.PoolBytes | Should -BeGreaterThan $plan.StoredBytes
        Assert-BackupError (Get-ErrorOf { Measure-OBCapacity -Vault $vault }) ArgumentInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { Measure-OBCapacity -Vault "$TestDrive/other" -DailyChange 1% }) ArgumentInvalid InvalidArgument
    }
}
