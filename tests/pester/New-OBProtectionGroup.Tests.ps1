BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Groups.ps1"
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'New-OBProtectionGroup' -Skip:$IsWindows {
    It 'makes a group, which every place of it tells of' {
        $years = New-OBRetentionPolicy -RetentionDays 365
        $group = New-OBProtectionGroup web -Machine m1, m2 -Policy $policy -DiskVault $vault, $second -CopyTo $cloud -CopyRetention $years
        $group | Should -BeOfType MSOnlineBackup.OBProtectionGroup
        "$group" | Should -Be web
        $group.Machine | Should -Be m1, m2
        "$($group.DiskVault)" | Should -Be "$vault $second"
        $group.DiskVault.State | Should -BeIn Ready, LowSpace
        $group.DiskVault[0].FreeBytes | Should -BeGreaterThan 0
        $group.CopyTo | Should -Be $cloud
        $group.CopyRetention.RetentionDays, $group.Policy.RetentionPolicy.RetentionDays | Should -Be 365, 10
        $group.Policy.DsList.DataSourceName | Should -Be /srv
        ($group | Out-String) | Should -Match '(?s)Name\s+Machine\s+DiskVault.*web\s+m1, m2'
        ($group.DiskVault | Out-String) | Should -Match 'Path\s+State\s+Free'
        (Get-ChildItem $vault, $second, $cloud -Recurse -File | Where-Object FullName -Like '*/groups/*').Count | Should -Be 3
    }

    It 'says what keeps a group from being' {
        $pool = @{ Policy = $policy; DiskVault = $vault }
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup WEB -Machine m3 @pool }) GroupExists ResourceExists
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine m3, m2 @pool }) GroupMachineTaken ResourceExists "*'m2'*'web'*"
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine @() @pool }) ArgumentInvalid InvalidArgument '*no machine*'
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine nowhere @pool }) AgentNotInstalled ObjectNotFound
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine m3 -Policy $policy -DiskVault $vault, $vault }) ArgumentInvalid InvalidArgument '*twice*'
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine m3 -Policy (New-OBPolicy) -DiskVault $vault }) PolicyIncomplete InvalidArgument
        $null = New-OBVault "$work/foreign" 3> $null
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine m3 @pool -CopyTo "$work/foreign" }) VaultNotTwin InvalidArgument
        Assert-BackupError (Get-ErrorOf { New-OBProtectionGroup other -Machine m3 @pool -CopyTo "$work/nowhere" }) VaultNotFound ObjectNotFound
        (Get-OBProtectionGroup).Name | Should -Be web
    }
}
