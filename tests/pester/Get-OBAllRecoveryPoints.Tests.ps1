BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $none = Get-OBAllRecoveryPoints
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup)
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBAllRecoveryPoints' {
    It 'returns nothing before the first backup' {
        $none | Should -BeNullOrEmpty
    }

    It 'returns the recovery points, newest first' {
        $points = Get-OBAllRecoveryPoints
        $points | Should -HaveCount 2
        $points[0] | Should -BeOfType MSOnlineBackup.OBBackupInfo
        $points.RecoveryPointId | Should -Be @($jobs[1].RecoveryPointId, $jobs[0].RecoveryPointId)
        $points[0].BackupTime.Kind | Should -Be Utc
        $points[0].BackupTime | Should -BeGreaterThan $points[1].BackupTime
        $points[0].DataSources | Should -Be $source
        $points.State | Should -Be @('Vaulted', 'Vaulted')
        $points.HasLocalSnapshot | Should -Be @($false, $false)
    }

    It 'says how far a point is of one moment, as the job does' {
        $point = (Get-OBAllRecoveryPoints)[0]
        $status = (Get-OBJob -Previous 1).JobStatus.DatasourceStatus[0]
        $point.Consistency | Should -BeIn None, Crash, FileSystem
        if ($point.Consistency -eq 'None') { $point.ConsistencyReason | Should -Not -BeNullOrEmpty }
        $status.Consistency, $status.ConsistencyReason | Should -Be @($point.Consistency, $point.ConsistencyReason)
    }

    It 'shows times in UTC with their zone, in lists and in strings' {
        $point = (Get-OBAllRecoveryPoints)[0]
        $time = $point.BackupTime.ToString('u')
        $point | Format-List | Out-String | Should -BeLike "*BackupTime*: $time*DataSources*RecoveryPointId*"
        "$point" | Should -Be "$time $source"
    }

    It 'says as which time one was read that no point has' {
        $local = [datetime]::new(2020, 2, 3, 4, 5, 6, [System.DateTimeKind]::Local)
        $err = Get-ErrorOf { Test-OBRecoveryPoint '2020-02-03 04:05:06' }
        Assert-BackupError $err RecoveryPointNotFound ObjectNotFound "*read as a time, it means 2020-02-03 04:05:06 local time, which is $($local.ToUniversalTime().ToString('u'))*"
    }

    It 'warns of a point that cannot be read, and leaves it out' {
        $id = $jobs[1].RecoveryPointId
        $file = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$id"
        $bytes = [System.IO.File]::ReadAllBytes($file.FullName)
        $file.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($file.FullName, $bytes[0..9])
        try {
            $points = Get-OBAllRecoveryPoints -WarningVariable warnings -WarningAction SilentlyContinue
            $sources = Get-OBRecoverableSource -WarningVariable sourceWarnings -WarningAction SilentlyContinue
            $items = $sources | Get-OBRecoverableItem -WarningVariable itemWarnings -WarningAction SilentlyContinue
            $problem = Get-ErrorOf { Test-OBRecoveryPoint $id }
        }
        finally {
            [System.IO.File]::WriteAllBytes($file.FullName, $bytes)
        }

        $points.RecoveryPointId | Should -Be $jobs[0].RecoveryPointId
        $items.RecoveryPointId | Should -Be $jobs[0].RecoveryPointId
        foreach ($told in $warnings, $sourceWarnings, $itemWarnings) {
            $told | Should -HaveCount 1
            $told[0].Message | Should -Match $id
            $told[0].Message | Should -Match VaultDataCorrupt
        }

        Assert-BackupError $problem VaultDataCorrupt InvalidData
    }

    It 'says so where the machine is not registered' {
        $state = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$work/nostate"
        try { $problem = Get-ErrorOf { Get-OBAllRecoveryPoints } } finally { $env:MSONLINEBACKUP_STATE = $state }
        Assert-BackupError $problem MachineNotRegistered InvalidOperation
    }
}
