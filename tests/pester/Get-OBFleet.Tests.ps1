BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $vault = Initialize-TestMachine $TestDrive
    $source = New-TestTree "$TestDrive/src"
    $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec $source)
    $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30)
    $null = Set-OBSchedule -Policy $policy -Schedule (New-OBSchedule -DaysOfWeek Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday -TimesOfDay 21:00)
    $null = Set-OBPolicy -Policy $policy -WarningAction SilentlyContinue
    $null = Invoke-TestBackup
}
AfterAll { Remove-TestState }

Describe 'Get-OBFleet' {
    It 'shows this machine in its own vault, with its version and its policies' {
        $found = Get-OBFleet
        $found.ServerName, $found.State, $found.Vault | Should -Be ($env:MSONLINEBACKUP_MACHINE ?? [Environment]::MachineName), Ok, $vault
        $found.LastSuccess | Should -BeGreaterThan ([datetime]::UtcNow.AddMinutes(-5))
        $found.AgentVersion | Should -Not -BeNullOrEmpty
        $found.IsOutdated | Should -BeFalse
        $found.Policies.Policy | Should -Be files
        ($found | Format-Table | Out-String) | Should -BeLike '*AgentVersion*Message*'
    }

    It 'takes vaults by name and by the pipeline, each once' {
        $credential = (Export-OBMonitoringCredential "$TestDrive/one").FullName
        @(Get-OBFleet $vault, $vault $credential).Count | Should -Be 1
        (Get-OBVault | Get-OBFleet).State | Should -Be Ok
        @(Get-OBFleet (Get-OBVault), (Get-OBVault)).Count | Should -Be 1
    }

    It 'names a vault that cannot be read, and shows the others' {
        $found = Get-OBFleet "$TestDrive/nowhere", $vault -ErrorAction SilentlyContinue -ErrorVariable told
        $found.ServerName | Should -Not -BeNullOrEmpty
        $told.Count | Should -Be 1
        Assert-BackupError $told[0] VaultNotFound ObjectNotFound
    }

    It 'says late where a backup is older than it may be' {
        $found = Get-OBFleet -MaximumAge 00:00:00.0000001
        $found.State | Should -Be Late
        $found.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'needs a vault' {
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$TestDrive/observer"
        try { Assert-BackupError (Get-ErrorOf { Get-OBFleet }) MachineNotRegistered InvalidOperation } finally { $env:MSONLINEBACKUP_STATE = $own }
    }
}
