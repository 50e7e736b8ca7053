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
    }

    It 'says so where the machine is not registered' {
        $state = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$work/nostate"
        try { $problem = Get-ErrorOf { Get-OBAllRecoveryPoints } } finally { $env:MSONLINEBACKUP_STATE = $state }
        Assert-BackupError $problem MachineNotRegistered InvalidOperation
    }
}
