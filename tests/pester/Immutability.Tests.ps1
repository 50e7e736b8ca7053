BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $points = @(Invoke-TestBackup; Invoke-TestBackup).RecoveryPointId
    $null = Get-OBVault | Set-OBVault -Immutability On -ImmutableDays 7
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'An immutable vault' {
    It 'keeps its recovery points (810001)' {
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[0] }) VaultImmutable PermissionDenied '*810001*'
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Remove-OBPolicy -DeleteBackup }) VaultImmutable PermissionDenied '*810001*'
        Get-OBPolicy | Should -Not -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -HaveCount 2
    }

    It 'lets retention be longer, and not shorter (810001)' {
        $policy = Get-OBPolicy
        $days = $policy.RetentionPolicy.RetentionDays
        $policy.RetentionPolicy = New-OBRetentionPolicy -RetentionDays ($days + 30)
        $null = Set-OBPolicy $policy -WarningAction SilentlyContinue
        $policy = Get-OBPolicy
        $policy.RetentionPolicy = New-OBRetentionPolicy -RetentionDays $days
        Assert-BackupError (Get-ErrorOf { Set-OBPolicy $policy -WarningAction SilentlyContinue }) VaultImmutable PermissionDenied '*810001*'
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be ($days + 30)
    }

    It 'lets its policy go, whose points end by their retention' {
        Get-OBPolicy | Remove-OBPolicy -DeleteBackup -EnablePruning | Should -BeOfType MSOnlineBackup.OBPolicy
        Get-OBAllRecoveryPoints | Should -HaveCount 2
    }
}
