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

Describe 'Remove-OBPolicy' {
    BeforeEach { $null = New-TestPolicy | Set-OBPolicy }

    It 'removes the policy, and returns it as a draft' {
        $removed = Get-OBPolicy | Remove-OBPolicy
        $removed.State | Should -Be New
        Get-OBPolicy | Should -BeNullOrEmpty
    }

    It 'removes nothing with -WhatIf' {
        Get-OBPolicy | Remove-OBPolicy -WhatIf | Should -BeNullOrEmpty
        Get-OBPolicy | Should -Not -BeNullOrEmpty
    }

    It 'refuses to delete backups, before it removes anything' {
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Remove-OBPolicy -DeleteBackup -SecurityPIN 1234 }) NotAvailable NotImplemented
        Get-OBPolicy | Should -Not -BeNullOrEmpty
    }

    It 'lets points expire by their retention with -DeleteBackup -EnablePruning' {
        $null = Get-OBPolicy | Remove-OBPolicy -DeleteBackup -EnablePruning
        Get-OBPolicy | Should -BeNullOrEmpty
    }

    It 'refuses -EnablePruning alone' {
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Remove-OBPolicy -EnablePruning }) ArgumentInvalid InvalidArgument
    }

    It 'refuses a draft that was never saved' {
        Assert-BackupError (Get-ErrorOf { New-TestPolicy | Remove-OBPolicy }) PolicyNotFound ObjectNotFound
        Get-OBPolicy | Should -Not -BeNullOrEmpty
    }
}
