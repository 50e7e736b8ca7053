BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $null = Invoke-TestBackup
    $name = (Get-OBVault).Machines[0]
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Unregister-OBMachine' {
    It 'completes the machines of the vault' {
        (Get-Completion "Unregister-OBMachine $vault ").ListItemText | Should -Contain $name
        (Get-Completion 'Get-OBVault | Unregister-OBMachine -Name ').ListItemText | Should -Contain $name
    }

    It 'refuses a machine that the vault does not know' {
        Assert-BackupError (Get-ErrorOf { Unregister-OBMachine $vault 'no such machine' }) MachineNotRegistered InvalidOperation '*no such machine*'
    }

    It 'is the owner''s to do' {
        $state = $env:MSONLINEBACKUP_STATE
        try {
            $env:MSONLINEBACKUP_STATE = "$work/other"
            Assert-BackupError (Get-ErrorOf { Unregister-OBMachine $vault $name }) OwnerRequired PermissionDenied '*owner*'
            Assert-BackupError (Get-ErrorOf { Unregister-OBMachine }) MachineNotRegistered InvalidOperation
        }
        finally { $env:MSONLINEBACKUP_STATE = $state }
        (Get-OBVault).Machines | Should -Be $name
    }

    It 'does not take a vault without a name for this machine' {
        { $vault | Unregister-OBMachine -ErrorAction Stop } | Should -Throw
        (Get-OBVault).Machines | Should -Be $name
    }

    It 'takes the machine off the list, keeps its points, and has it register again' {
        Get-OBVault | Unregister-OBMachine -Name $name.ToLowerInvariant() | Should -BeNullOrEmpty

        (Get-OBVault).Machines | Should -BeNullOrEmpty
        (Get-OBVault).RecoveryPoints | Should -Be 1
        $credential = (Export-OBVaultCredential $vault $work).FullName
        $passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
        $server = Get-OBAlternateBackupServer -VaultCredentials $credential -EncryptionPassphrase $passphrase
        $server.ServerName | Should -Be $name
        @(Get-OBRecoverableSource -Server $server | Get-OBRecoverableItem).Count | Should -Be 1
        Assert-BackupError (Get-ErrorOf { Invoke-TestBackup }) MachineNotRegistered InvalidOperation '*unregistered on*'

        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        $null = Invoke-TestBackup
        (Get-OBVault).Machines | Should -Be $name
        (Get-OBVault).RecoveryPoints | Should -Be 2
    }

    It 'lets this machine leave without a name, and register again' {
        $credential = (Export-OBVaultCredential $vault $work).FullName
        Unregister-OBMachine -ThisMachine | Should -BeNullOrEmpty

        Assert-BackupError (Get-ErrorOf { Get-OBVault }) MachineNotRegistered InvalidOperation
        Assert-BackupError (Get-ErrorOf { Invoke-TestBackup }) MachineNotRegistered InvalidOperation
        (Get-OBVault $vault).RecoveryPoints | Should -Be 2
        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) 6> $null
        $null = Invoke-TestBackup
        (Get-OBVault).RecoveryPoints | Should -Be 3
    }
}
