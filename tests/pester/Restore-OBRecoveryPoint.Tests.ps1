BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup)
    $id = $jobs[0].RecoveryPointId
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Restore-OBRecoveryPoint' {
    BeforeEach { $deleted = Remove-OBRecoveryPoint $id }

    It 'brings a point back, whole' {
        $restored = $deleted | Restore-OBRecoveryPoint
        $restored | Should -BeOfType MSOnlineBackup.OBBackupInfo
        $restored.RecoveryPointId, $restored.DataSources | Should -Be $id, $source
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $jobs[1].RecoveryPointId, $id
        (Test-OBRecoveryPoint $id -Level Data).Problems | Should -BeNullOrEmpty
        Assert-BackupError (Get-ErrorOf { Restore-OBRecoveryPoint $id }) RecoveryPointNotFound ObjectNotFound
    }

    It 'takes the beginning of an id, and completes ids' {
        (Get-Completion 'Restore-OBRecoveryPoint ').CompletionText | Should -Contain $id
        Restore-OBRecoveryPoint $id.Substring(0, 14) -WhatIf | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 1
        (Restore-OBRecoveryPoint -Id $id.Substring(0, 14)).RecoveryPointId | Should -Be $id
    }
}
