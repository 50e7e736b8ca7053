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

Describe 'Set-, Get- and Remove-OBSystemStatePolicy' {
    It 'save, return and remove the policy for the system state, beside that for files' {
        $null = New-TestPolicy | Set-OBPolicy
        Get-OBSystemStatePolicy | Should -BeNullOrEmpty
        $saved = New-OBPolicy | Add-OBSystemState | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) |
            Set-OBSchedule -Schedule (New-OBSchedule) | Set-OBSystemStatePolicy
        $saved.State | Should -Be Existing
        (Get-OBSystemStatePolicy).DsList.DataSourceName | Should -Be 'System State'
        (Get-OBPolicy).DsList.DataSourceName | Should -Be $data

        $null = Get-OBSystemStatePolicy | Remove-OBSystemStatePolicy
        Get-OBSystemStatePolicy | Should -BeNullOrEmpty
        Get-OBPolicy | Should -Not -BeNullOrEmpty
    }

    It 'refuse a policy for files' {
        Assert-BackupError (Get-ErrorOf { New-TestPolicy | Set-OBSystemStatePolicy }) PolicyInvalid InvalidArgument '*folders and files*'
    }

    It 'refuse to delete backups' {
        $policy = New-OBPolicy | Add-OBSystemState
        Assert-BackupError (Get-ErrorOf { Remove-OBSystemStatePolicy -Policy $policy -DeleteBackup }) NotAvailable NotImplemented
    }
}
