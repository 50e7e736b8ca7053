BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup)
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBDeletedRecoveryPoint' {
    It 'returns nothing where nothing is deleted' {
        Get-OBDeletedRecoveryPoint | Should -BeNullOrEmpty
    }

    It 'lists what can be brought back, newest first' {
        $null = Get-OBAllRecoveryPoints | Select-Object -Skip 1 | Remove-OBRecoveryPoint
        $deleted = Get-OBDeletedRecoveryPoint
        $deleted.RecoveryPointId | Should -Be $jobs[1].RecoveryPointId, $jobs[0].RecoveryPointId
        $deleted[0].BackupTime | Should -BeGreaterThan $deleted[1].BackupTime
        $deleted[0].KeptUntil.Kind | Should -Be Utc
        $deleted[0] | Out-String | Should -BeLike "*BackupTime*Deleted*KeptUntil*DataSources*$($deleted[0].KeptUntil.ToString('u'))*"
        (Get-OBDeletedRecoveryPoint -Machine $deleted[0].MachineName.ToLowerInvariant()).Count | Should -Be 2
    }

    It 'says which machine the vault does not know' {
        Assert-BackupError (Get-ErrorOf { Get-OBDeletedRecoveryPoint -Machine NOBODY }) RecoveryPointNotFound ObjectNotFound
    }
}
