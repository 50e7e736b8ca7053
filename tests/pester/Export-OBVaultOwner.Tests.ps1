BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main -WarningAction SilentlyContinue
    $passphrase = ConvertTo-SecureString 'the passphrase of the owner' -AsPlainText -Force
}
AfterAll { Remove-TestState }

Describe 'Export-OBVaultOwner' {
    It 'writes the key to a file, once' {
        $file = $vault | Export-OBVaultOwner -OwnerFile "$TestDrive/one" -OwnerPassphrase $passphrase
        $file | Should -BeOfType System.IO.FileInfo
        (Get-Content $file.FullName -Raw | ConvertFrom-Json).vaultId | Should -Be $vault.VaultId
        Assert-BackupError (Get-ErrorOf { Export-OBVaultOwner $vault "$TestDrive/one" -OwnerPassphrase $passphrase }) OwnerFileInvalid InvalidData '*exists already*'
    }

    It 'refuses a passphrase that is too short' {
        Assert-BackupError (Get-ErrorOf { Export-OBVaultOwner $vault "$TestDrive/short" -OwnerPassphrase (ConvertTo-SecureString short -AsPlainText -Force) }) PassphraseInvalid InvalidArgument
        "$TestDrive/short" | Should -Not -Exist
    }

    It 'lets the machine forget the key, and the file does what the machine did' {
        $null = Export-OBVaultOwner $vault "$TestDrive/two" -OwnerPassphrase $passphrase -Remove
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -MachineLimit 3 }) OwnerRequired PermissionDenied
        Assert-BackupError (Get-ErrorOf { Export-OBVaultOwner $vault "$TestDrive/three" -OwnerPassphrase $passphrase }) OwnerRequired PermissionDenied
        (Set-OBVault $vault -MachineLimit 3 -OwnerFile "$TestDrive/two" -OwnerPassphrase $passphrase).MachineLimit | Should -Be 3
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -MachineLimit 4 -OwnerFile "$TestDrive/two" -OwnerPassphrase (ConvertTo-SecureString 'another passphrase' -AsPlainText -Force) }) PassphraseRejected AuthenticationError
    }
}
