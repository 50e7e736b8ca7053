BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Groups.ps1"
        $null = New-OBProtectionGroup web -Machine m1 -Policy $policy -DiskVault $vault
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Remove-OBProtectionGroup' -Skip:$IsWindows {
    It 'removes a group, and no recovery point and no agent with it' {
        $points = (Get-OBVault $vault).RecoveryPoints
        Get-OBProtectionGroup web | Remove-OBProtectionGroup
        Get-OBProtectionGroup | Should -BeNullOrEmpty
        (Get-OBVault $vault).RecoveryPoints | Should -Be $points
        (Get-OBAgent m1).State | Should -Be Current
        Assert-BackupError (Get-ErrorOf { Remove-OBProtectionGroup web }) GroupNotFound ObjectNotFound
        (New-OBProtectionGroup web -Machine m1 -Policy $policy -DiskVault $vault).Name | Should -Be web
    }
}
