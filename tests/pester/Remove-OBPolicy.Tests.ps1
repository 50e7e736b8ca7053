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

    It 'deletes the points of the policy, the newest included, which can be brought back' {
        Set-Content "$data/a.txt" 'one'
        $jobs = @(1..2 | ForEach-Object { Get-OBPolicy | Start-OBBackup 6> $null })
        Get-OBPolicy | Remove-OBPolicy -DeleteBackup -WhatIf | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 2
        $null = Get-OBPolicy | Remove-OBPolicy -DeleteBackup -SecurityPIN 1234
        Get-OBPolicy | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
        $deleted = Get-OBDeletedRecoveryPoint
        $deleted.RecoveryPointId | Should -Be $jobs[1].RecoveryPointId, $jobs[0].RecoveryPointId
        $deleted[0].Reason | Should -BeLike '*policy*removed*'
        ($deleted | Restore-OBRecoveryPoint).RecoveryPointId | Should -Be $deleted.RecoveryPointId
        Get-OBAllRecoveryPoints | Should -HaveCount 2
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
