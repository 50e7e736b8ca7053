BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $vault = Initialize-TestMachine $TestDrive
    $source = New-TestTree "$TestDrive/src"
    $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec $source)
    $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30)
    $null = Set-OBSchedule -Policy $policy -Schedule (New-OBSchedule -DaysOfWeek Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday -TimesOfDay 21:00)
}
AfterAll { Remove-TestState }

Describe 'Get-OBCompliance' {
    It 'says of a machine that was registered that it was not backed up yet' {
        $found = Get-OBCompliance
        $found.State, $found.Policy | Should -Be Ok, $null
        $found.Message | Should -BeLike '*was not backed up yet*'
    }

    It 'follows a policy from being saved to its backup, its failure, its pause and its end' {
        $null = Set-OBPolicy -Policy $policy -WarningAction SilentlyContinue
        $found = Get-OBCompliance
        $found.State, $found.Policy, $found.Outcome | Should -Be Ok, files, Expected

        $job = Invoke-TestBackup
        $found = Get-OBCompliance
        $found.State, $found.Outcome, $found.JobId, $found.IsProved | Should -Be Ok, Completed, $job.JobId, $true
        $found.LastSuccess | Should -BeGreaterThan ([datetime]::UtcNow.AddMinutes(-5))
        $found.Due | Should -BeGreaterThan ([datetime]::UtcNow.AddHours(1))
        $found.ErrorId | Should -BeNullOrEmpty

        Rename-Item $source away
        try { $null = Get-ErrorOf { Invoke-TestBackup } } finally { Rename-Item "$TestDrive/away" src }
        $found = Get-OBCompliance
        $found.State, $found.ErrorId | Should -Be Failing, BackupFailing
        $found.Errors | Should -Not -BeNullOrEmpty

        $null = Get-OBPolicy | Set-OBPolicyState -State Paused
        (Get-OBCompliance).State | Should -Be Stopped
        $null = Get-OBPolicy | Set-OBPolicyState -State Valid
        (Get-OBCompliance).State | Should -BeIn Ok, Failing
    }

    It 'works on another machine, with a credential and without a passphrase' {
        $credential = Export-OBMonitoringCredential "$TestDrive/office.MonitoringCredential"
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$TestDrive/observer"
        try {
            (Get-OBCompliance $vault $credential.FullName).Policy | Should -Be files
            $sealed = Get-OBCompliance $vault
            $sealed.Policy | Should -BeNullOrEmpty
            $sealed.Message | Should -BeLike '*sealed*'
            (Get-OBCompliance $vault -MaximumAge 00:00:00.0000001).State | Should -Be Late
            Assert-BackupError (Get-ErrorOf { Get-OBCompliance }) MachineNotRegistered InvalidOperation
            $lines = Invoke-Obengine watch $vault --monitoring-credential $credential.FullName --json | ConvertFrom-Json
            $lines[0].machine, $lines[0].policy, $lines[0].isProved | Should -Be ($env:MSONLINEBACKUP_MACHINE ?? [Environment]::MachineName), files, $true
        } finally {
            $env:MSONLINEBACKUP_STATE = $own
        }
    }

    It 'reads plain statuses without a credential where the owner wants them so' {
        (Set-OBVault $vault -Statuses Plain).Statuses | Should -Be Plain
        $null = Invoke-TestBackup
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$TestDrive/observer"
        try { $found = Get-OBCompliance $vault } finally { $env:MSONLINEBACKUP_STATE = $own }
        $found.State, $found.Outcome, $found.IsProved | Should -Be Ok, Completed, $false
    }
}
