BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Retention.ps1"
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Invoke-OBMaintenance' {
    AfterEach { $null = Get-OBDeletedRecoveryPoint | Restore-OBRecoveryPoint }

    It 'keeps what a rule keeps' {
        Set-PointAge 20, 10, 0
        $result = Invoke-OBMaintenance
        $result | Should -BeOfType MSOnlineBackup.OBMaintenanceResult
        $result.IsRehearsal, $result.PointsDeleted, $result.BytesFreed | Should -Be $false, 0, 0
        $result.Problems | Should -BeNullOrEmpty
        $result.WaitingFor | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 3
        $result | Out-String | Should -Match '(?s)PointsDeleted\s*: 0.*PacksDeleted\s*: 0 \(0 bytes\)'
    }

    It 'reads back what is stored, within the limits that are given, and Get-OBVault tells' {
        (Invoke-OBMaintenance -VerifyDays 0).PacksVerified | Should -Be 0
        (Invoke-OBMaintenance -VerifyDays 1 -MaxVerifyBytes 1).PacksVerified | Should -BeLessOrEqual 1
        Get-ChildItem "$work/vault/stores/*/proofs/*" | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-2) }
        $result = Invoke-OBMaintenance -VerifyDays 1
        $result.PacksVerified, $result.BytesVerified | Should -BeGreaterThan 0
        $result.DamagedPacks | Should -BeNullOrEmpty
        $vault = Get-OBVault
        $vault.Proofs | Should -BeOfType MSOnlineBackup.OBMachineProof
        $vault.Proofs.VerifiedPercent, $vault.Proofs.RecoveryPointId | Should -Be 100, $jobs[2].RecoveryPointId
        $vault.Proofs.LastVerified, $vault.LastMaintained | Should -BeOfType datetime
        $vault | Out-String | Should -Match 'Proofs +: .*verified 20'
    }

    It 'names a damaged pack, and the next run mends it' {
        $pack = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like '*/packs/*' | Sort-Object Length | Select-Object -Last 1
        $bytes = [System.IO.File]::ReadAllBytes($pack.FullName)
        $bytes[-20] = $bytes[-20] -bxor 1
        $pack.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)
        Get-ChildItem "$work/vault/stores/*/proofs/*" | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-9) }
        (Invoke-OBMaintenance -VerifyDays 1 3> $null).DamagedPacks | Should -BeLike "*$($pack.Name)"
        (Get-OBVault -WarningVariable warnings 3> $null).DamagedPacks | Should -BeLike "*$($pack.Name)"
        $warnings -join ' ' | Should -BeLike '*1 stored pack is damaged*'

        # All of it still opens: only its table of contents does not.
        $done = Invoke-OBMaintenance -VerifyDays 3650
        $done.PacksMended | Should -Be 1
        $done.DamagedPacks | Should -BeNullOrEmpty
        (Get-OBVault).DamagedPacks | Should -BeNullOrEmpty
        Test-OBRecoveryPoint -RecoveryPoint (Get-OBAllRecoveryPoints)[0] | Should -Not -BeNullOrEmpty
    }

    It 'deletes what no rule keeps any more, the newest never, and it can be brought back' {
        Set-PointAge 50, 45, 20
        (Invoke-OBMaintenance -MaxDuration 01:00:00 -MaxUnused 50 -MaxRepackBytes 1GB -ShutOutAfter 2.00:00:00).PointsDeleted | Should -Be 2
        (Get-OBDeletedRecoveryPoint).RecoveryPointId | Should -Be $jobs[1].RecoveryPointId, $jobs[0].RecoveryPointId
        (Get-OBDeletedRecoveryPoint)[0].Reason | Should -BeLike '*daily retention*'
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $jobs[2].RecoveryPointId
        $null = Get-OBDeletedRecoveryPoint | Restore-OBRecoveryPoint
        Get-OBAllRecoveryPoints | Should -HaveCount 3
    }

    It 'puts a shorter retention into force, and a longer one' {
        Set-PointAge 20, 10, 0
        $null = Get-OBPolicy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 15) | Set-OBPolicy -Confirm:$false
        try {
            Get-OBAllRecoveryPoints | Should -HaveCount 3
            $foreseen = Invoke-OBMaintenance -WhatIf
            $foreseen.PointsDeleted | Should -Be 1
            $foreseen.BytesExpiring | Should -Be (Get-OBRetentionPlan)[0].Bytes
            $foreseen | Out-String | Should -Match 'BytesExpiring\s*: [1-9]'
            Get-OBAllRecoveryPoints | Should -HaveCount 3
            (Invoke-OBMaintenance).PointsDeleted | Should -Be 1
            (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $jobs[2].RecoveryPointId, $jobs[1].RecoveryPointId
        }
        finally {
            $null = Get-OBPolicy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBPolicy -Confirm:$false
        }
    }

    It 'deletes nothing while a point cannot be read, and says so' {
        Set-PointAge 50, 45, 20
        $file = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$($jobs[1].RecoveryPointId)"
        $bytes = [System.IO.File]::ReadAllBytes($file.FullName)
        $file.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($file.FullName, $bytes[0..9])
        try {
            $result = Invoke-OBMaintenance -WarningVariable warnings 3> $null
            $result.PointsDeleted | Should -Be 0
            $result.Problems.Problem | Should -Not -BeNullOrEmpty
            $warnings -join ' ' | Should -BeLike "*$($jobs[1].RecoveryPointId)*No recovery point of this machine is deleted*"
        }
        finally {
            [System.IO.File]::WriteAllBytes($file.FullName, $bytes)
        }

        Get-OBAllRecoveryPoints | Should -HaveCount 3
    }

    It 'says what is missing where nobody can be asked' {
        $script = "Import-Module '$manifest'; try { Invoke-OBMaintenance -Confirm } catch { `$_.FullyQualifiedErrorId; `$_.ErrorDetails.RecommendedAction }"
        $null | & $shell -NoProfile -Command $script 2>&1 | Out-String | Should -BeLike '*ArgumentInvalid,*-Confirm:$false*'
    }

    It 'refuses a time that is negative' {
        Assert-BackupError (Get-ErrorOf { Invoke-OBMaintenance -MaxDuration -01:00:00 }) ArgumentInvalid InvalidArgument
    }
}
