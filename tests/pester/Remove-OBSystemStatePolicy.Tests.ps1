BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    function New-StatePolicy {
        New-OBPolicy | Add-OBSystemState | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBSchedule -Schedule (New-OBSchedule)
    }
}
AfterAll { Remove-TestState }

Describe 'Remove-OBSystemStatePolicy' {
    BeforeEach { $null = New-StatePolicy | Set-OBSystemStatePolicy }

    It 'removes the policy for the system state, and leaves that for files' {
        $null = New-Item -ItemType Directory -Path "$TestDrive/data" -Force
        $null = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$TestDrive/data") | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy
        $null = Get-OBSystemStatePolicy | Remove-OBSystemStatePolicy
        Get-OBSystemStatePolicy | Should -BeNullOrEmpty
        Get-OBPolicy | Should -Not -BeNullOrEmpty
    }

    It 'removes nothing with -WhatIf' {
        $null = Get-OBSystemStatePolicy | Remove-OBSystemStatePolicy -WhatIf
        Get-OBSystemStatePolicy | Should -Not -BeNullOrEmpty
    }

    It 'deletes no points but its own' {
        $null = New-Item -ItemType Directory -Path "$TestDrive/data" -Force
        Set-Content "$TestDrive/data/a.txt" 'one'
        $null = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$TestDrive/data") | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy
        $null = Get-OBPolicy | Start-OBBackup 6> $null
        $null = Get-OBSystemStatePolicy | Remove-OBSystemStatePolicy -DeleteBackup
        Get-OBSystemStatePolicy | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 1
        Get-OBDeletedRecoveryPoint | Should -BeNullOrEmpty
    }
}
