BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBNotification' {
    It 'names the step that is missing' {
        (Get-OBNotification).ErrorId | Should -Be MachineNotRegistered
        $null = Initialize-TestMachine $TestDrive
        (Get-OBNotification).ErrorId | Should -Be PolicyNotFound
    }

    It 'says that nothing runs the schedule until something does' {
        . "$PSScriptRoot/Recovery.ps1"
        $source = New-TestTree "$TestDrive/src"
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec $source)
        $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30)

        # Five minutes ago, on the day that it was then.
        $due = (Get-Date).AddMinutes(-5)
        $null = Set-OBSchedule -Policy $policy -Schedule (New-OBSchedule -DaysOfWeek $due.DayOfWeek -TimesOfDay $due.ToString('HH:mm', [cultureinfo]::InvariantCulture))
        $null = Set-OBPolicy -Policy $policy -WarningAction SilentlyContinue
        (Get-OBNotification).Message | Should -BeLike '*Nothing runs the schedule*'
        (Get-OBNotification).RecommendedAction | Should -BeLike '*Start-ScheduledBackup.ps1*'

        $null = Invoke-TestBackup
        Get-OBNotification | Should -BeNullOrEmpty
    }
}
