BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup)

    # As if the vault had got the points some days earlier, the oldest first.
    function Set-PointAge([int[]] $Days) {
        foreach ($index in 0..($jobs.Count - 1)) {
            Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$($jobs[$index].RecoveryPointId)" |
                ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-$Days[$index]) }
        }
    }
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
            (Invoke-OBMaintenance -WhatIf).PointsDeleted | Should -Be 1
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

    It 'refuses a time that is negative' {
        Assert-BackupError (Get-ErrorOf { Invoke-OBMaintenance -MaxDuration -01:00:00 }) ArgumentInvalid InvalidArgument
    }
}
