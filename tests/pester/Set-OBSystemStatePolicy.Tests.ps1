BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    $data = (New-Item -ItemType Directory -Path "$TestDrive/data").FullName
    function New-TestPolicy {
        New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $data) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
    }
}
AfterAll { Remove-TestState }

Describe 'Set-OBSystemStatePolicy' {
    It 'saves the policy for the system state, beside that for files' {
        $null = New-TestPolicy | Set-OBPolicy
        $saved = New-OBPolicy | Add-OBSystemState | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) |
            Set-OBSchedule -Schedule (New-OBSchedule) | Set-OBSystemStatePolicy
        $saved.State | Should -Be Existing
        (Get-OBSystemStatePolicy).PolicyName | Should -Be $saved.PolicyName
        (Get-OBPolicy).DsList.DataSourceName | Should -Be $data
    }

    It 'refuses a policy for files' {
        Assert-BackupError (Get-ErrorOf { New-TestPolicy | Set-OBSystemStatePolicy }) PolicyInvalid InvalidArgument '*folders and files*'
    }
}
