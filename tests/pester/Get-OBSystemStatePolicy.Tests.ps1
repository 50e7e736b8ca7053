BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    function New-StatePolicy {
        New-OBPolicy | Add-OBSystemState | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBSchedule -Schedule (New-OBSchedule)
    }
}
AfterAll { Remove-TestState }

Describe 'Get-OBSystemStatePolicy' {
    It 'returns the saved policy, and nothing where there is none' {
        Get-OBSystemStatePolicy | Should -BeNullOrEmpty
        $null = New-StatePolicy | Set-OBSystemStatePolicy
        (Get-OBSystemStatePolicy).DsList.DataSourceName | Should -Be 'System State'
        Get-OBPolicy | Should -BeNullOrEmpty
    }
}
