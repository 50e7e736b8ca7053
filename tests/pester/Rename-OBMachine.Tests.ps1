BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")

    # What changed within two seconds before it was read is read again, whatever its times say.
    Start-Sleep -Seconds 3
    $null = Invoke-TestBackup
    $first = (Get-OBVault).Machines[0]
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Rename-OBMachine' {
    It 'changes nothing with -WhatIf' {
        Rename-OBMachine renamed -WhatIf | Should -BeNullOrEmpty
        (Get-OBVault).Machines | Should -Be $first
    }

    It 'refuses what is no name' {
        Assert-BackupError (Get-ErrorOf { Rename-OBMachine ' ' }) ArgumentInvalid InvalidArgument
        (Get-OBVault).Machines | Should -Be $first
    }

    It 'keeps the points, and the next backup sends nothing again' {
        (Rename-OBMachine renamed).Region | Should -Be $vault
        (Get-OBVault).Machines | Should -Be 'renamed'
        $null = Invoke-TestBackup
        (Get-OBVault).RecoveryPoints | Should -Be 2
        (Get-OBJob -Previous 1).JobStatus.DatasourceStatus.ByteProgress.Changed | Should -Be 0
        @(Get-OBRecoverableSource | Get-OBRecoverableItem).Count | Should -Be 2
    }

    It 'recovers what was backed up under the earlier name to where it came from' {
        $item = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -Last 1
        $job = Start-OBRecovery -RecoverableItem $item -RecoveryOption (New-OBRecoveryOption -OverwriteType Skip) 3> $null 6> $null
        $job.JobStatus.JobState | Should -BeLike 'Completed*'
    }

    It 'takes the system''s name where none is given, and names what another machine may not have' {
        $null = Rename-OBMachine
        (Get-OBVault).Machines | Should -Be $first
        $state = $env:MSONLINEBACKUP_STATE
        $machine = $env:MSONLINEBACKUP_MACHINE
        try {
            $env:MSONLINEBACKUP_STATE = "$work/other"
            $env:MSONLINEBACKUP_MACHINE = 'renamed'
            Assert-BackupError (Get-ErrorOf { Rename-OBMachine other }) MachineNotRegistered InvalidOperation
            $credential = $null
            $env:MSONLINEBACKUP_STATE = $state
            $credential = (Export-OBVaultCredential $vault $work).FullName
            $env:MSONLINEBACKUP_STATE = "$work/other"
            Assert-BackupError (Get-ErrorOf { Start-OBRegistration -VaultCredentials $credential 6> $null }) MachineNameTaken ResourceExists "*earlier name of the machine '$first'*"
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $state
            $env:MSONLINEBACKUP_MACHINE = $machine
        }
    }

    It 'is told of where the system calls the machine otherwise' {
        $machine = $env:MSONLINEBACKUP_MACHINE
        try {
            $env:MSONLINEBACKUP_MACHINE = 'called-otherwise'
            $null = Start-OBRegistration -VaultCredentials (Export-OBVaultCredential $vault $work).FullName -WarningVariable told -WarningAction SilentlyContinue 6> $null
            "$told" | Should -BeLike "*'called-otherwise'*Rename-OBMachine*"
            (Get-OBVault).Machines | Should -Be $first
        }
        finally { $env:MSONLINEBACKUP_MACHINE = $machine }
    }
}
