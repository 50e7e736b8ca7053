BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Groups.ps1"
        $null = New-OBProtectionGroup web -Machine m1 -Policy $policy -DiskVault $vault -CopyTo $cloud -CopyRetention (New-OBRetentionPolicy -RetentionDays 30)
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Set-OBProtectionGroup' -Skip:$IsWindows {
    It 'changes what is named, and leaves the rest as it is' {
        $group = Get-OBProtectionGroup web | Set-OBProtectionGroup -AddMachine m2 -DiskVault $vault, $second
        $group.Machine | Should -Be m1, m2
        $group.DiskVault.Path | Should -Be $vault, $second
        $group.CopyTo, $group.CopyRetention.RetentionDays | Should -Be $cloud, 30
        (Set-OBProtectionGroup web -RemoveMachine M1).Machine | Should -Be m2
        $longer = New-OBPolicy
        $null = Add-OBFileSpec $longer (New-OBFileSpec /home)
        $null = Set-OBSchedule $longer (New-OBSchedule -DaysOfWeek Sunday -TimesOfDay 03:00)
        $null = Set-OBRetentionPolicy $longer (New-OBRetentionPolicy -RetentionDays 20)
        (Set-OBProtectionGroup web -Policy $longer).Policy.RetentionPolicy.RetentionDays | Should -Be 20
        (Set-OBProtectionGroup web -CopyRetention $null).CopyRetention | Should -BeNullOrEmpty
        (Set-OBProtectionGroup web -CopyTo @()).CopyTo | Should -BeNullOrEmpty
        (Set-OBProtectionGroup web -NewName sites).Name | Should -Be sites
        (Get-OBProtectionGroup).Name | Should -Be sites
    }

    It 'says what cannot be' {
        Assert-BackupError (Get-ErrorOf { Set-OBProtectionGroup web -NewName x }) GroupNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { Set-OBProtectionGroup sites -RemoveMachine m3 }) ArgumentInvalid InvalidArgument '*no machine of*'
        Assert-BackupError (Get-ErrorOf { Set-OBProtectionGroup sites -RemoveMachine m2 }) ArgumentInvalid InvalidArgument '*would have no machine*'
        Assert-BackupError (Get-ErrorOf { Set-OBProtectionGroup sites -CopyTo "$work/nowhere" }) VaultNotFound ObjectNotFound
    }
}
