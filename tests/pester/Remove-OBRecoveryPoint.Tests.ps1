BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup)
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Remove-OBRecoveryPoint' {
    AfterEach { $null = Get-OBDeletedRecoveryPoint | Restore-OBRecoveryPoint }

    It 'deletes a point, and says until when it can be brought back' {
        $deleted = Get-OBAllRecoveryPoints | Select-Object -Last 1 | Remove-OBRecoveryPoint -Reason tidied
        $deleted | Should -BeOfType MSOnlineBackup.OBDeletedRecoveryPoint
        $deleted.RecoveryPointId, $deleted.Reason, $deleted.DataSources | Should -Be $jobs[0].RecoveryPointId, 'tidied', $source
        $deleted.KeptUntil - $deleted.Deleted | Should -Be ([timespan]::FromDays(14))
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $jobs[2].RecoveryPointId, $jobs[1].RecoveryPointId
        (Get-OBRecoverableSource | Get-OBRecoverableItem).RecoveryPointId | Should -Not -Contain $jobs[0].RecoveryPointId
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $jobs[0].RecoveryPointId }) RecoveryPointNotFound ObjectNotFound
    }

    It 'deletes nothing with -WhatIf' {
        Remove-OBRecoveryPoint $jobs[0].RecoveryPointId -WhatIf | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 3
    }

    It 'leaves the newest point' {
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $jobs[2].RecoveryPointId }) RecoveryPointIsNewest InvalidOperation
        Get-OBAllRecoveryPoints | Should -HaveCount 3
    }

    It 'takes whole points only' {
        $item = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $item }) ArgumentInvalid InvalidArgument
    }

    It 'deletes a point that cannot be read' {
        $file = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$($jobs[1].RecoveryPointId)"
        $bytes = [System.IO.File]::ReadAllBytes($file.FullName)
        $file.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($file.FullName, $bytes[0..9])
        try {
            $deleted = Remove-OBRecoveryPoint $jobs[1].RecoveryPointId
            $null = Get-OBAllRecoveryPoints -WarningVariable warnings
            $warnings | Should -BeNullOrEmpty
            (Get-OBDeletedRecoveryPoint).BackupTime | Should -BeNullOrEmpty
        }
        finally {
            [System.IO.File]::WriteAllBytes($file.FullName, $bytes)
        }

        $deleted.RecoveryPointId | Should -Be $jobs[1].RecoveryPointId
    }
}
