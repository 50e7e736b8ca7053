BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $without = Get-ErrorOf { Start-OBSystemStateBackup }
    $null = New-OBPolicy | Add-OBSystemState | Set-OBSchedule -Schedule (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30) |
        Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBSystemStatePolicy
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBSystemStateBackup' -Skip:(-not $IsLinux) {
    It 'needs a policy' {
        Assert-BackupError $without PolicyNotFound ObjectNotFound '*system state*'
    }

    It 'does nothing with -WhatIf' {
        Start-OBSystemStateBackup -WhatIf | Should -BeNullOrEmpty
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
    }

    It 'backs up the system state, which is one source, and can be recovered into a folder' {
        $job = Start-OBSystemStateBackup 6> $null 3> $null
        $job.JobStatus.JobState | Should -BeIn 'Completed', 'CompletedWithWarning'
        $job.JobStatus.DatasourceStatus.Datasource.DataSourceName | Should -Be 'System State'
        (Get-OBRecoverableSource).FriendlyName | Should -Be 'System State'
        $point = Get-OBRecoverableSource | Get-OBRecoverableItem
        $point.Name | Should -Be 'System State'
        (Get-OBRecoverableItem $point).ItemNameFriendly | Should -Contain /etc
        $file = Get-OBRecoverableItem -RecoveryPoint $point -Location /etc -SearchString passwd | Where-Object ItemNameFriendly -EQ /etc/passwd
        $null = Start-OBRecovery $file (New-OBRecoveryOption "$work/state") 6> $null 3> $null
        (Get-FileHash "$work/state/passwd").Hash | Should -Be (Get-FileHash /etc/passwd).Hash
    }
}
