BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main
    $newest = Export-OBVaultCredential -Vault $vault.Location -Path $TestDrive
}
AfterAll { Remove-TestState }

Describe 'Export-OBVaultCredential' {
    It 'refuses a signature by which no machine could use the vault, and writes no file' {
        $folder = (New-Item -ItemType Directory "$TestDrive/none").FullName
        $signature = ConvertTo-SecureString 'sv=2024-11-04&sr=c&sp=r&sig=x' -AsPlainText -Force
        $err = Get-ErrorOf { Export-OBVaultCredential https://account.blob.core.windows.net/vault $folder -SasToken $signature }
        Assert-BackupError $err StorageSecretInvalid InvalidArgument "*permits 'r' and not create (c) and list (l)*"
        Get-ChildItem $folder | Should -BeNullOrEmpty
    }

    It 'writes a file whose content tells nothing' {
        $newest | Should -BeOfType System.IO.FileInfo
        $newest.Extension | Should -Be '.VaultCredentials'
        $text = [System.Text.Encoding]::Latin1.GetString([System.IO.File]::ReadAllBytes($newest.FullName))
        $text | Should -Not -Match ([regex]::Escape($vault.Location))
        $text | Should -Not -Match $vault.VaultId
    }

    It 'bears what PowerShell does to texts' {
        $copy = "$TestDrive/copied.VaultCredentials"
        Get-Content -LiteralPath $newest.FullName -Raw | Out-File $copy -Encoding utf8BOM
        Get-Content -LiteralPath $newest.FullName | Out-File "$TestDrive/wide.VaultCredentials" -Encoding unicode
        foreach ($file in $copy, "$TestDrive/wide.VaultCredentials") {
            { Get-OBAlternateBackupServer -VaultCredentials $file } | Should -Not -Throw
        }
    }

    It 'warns where the vault is full, and takes the owner''s file' {
        $owner = @{ OwnerFile = "$TestDrive/full.VaultOwner"; OwnerPassphrase = ConvertTo-SecureString 'the passphrase of the owner' -AsPlainText -Force }
        $full = New-OBVault "$TestDrive/full" @owner 6> $null
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $full $TestDrive }) OwnerRequired PermissionDenied '*owner*'
        $null = Set-OBVault $full -MachineLimit 1 @owner
        $credential = Export-OBVaultCredential $full $TestDrive @owner -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -BeNullOrEmpty
        $state = $env:MSONLINEBACKUP_STATE
        try {
            $env:MSONLINEBACKUP_STATE = "$TestDrive/machine"
            $null = Start-OBRegistration -VaultCredentials $credential.FullName 6> $null
            Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) 6> $null
        }
        finally { $env:MSONLINEBACKUP_STATE = $state }
        $null = Export-OBVaultCredential $full $TestDrive @owner -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -BeLike '*reached its limit of*'
    }

    It 'writes nothing with -WhatIf' {
        $before = (Get-ChildItem $TestDrive).Count
        Export-OBVaultCredential -Vault $vault -Path $TestDrive -WhatIf | Should -BeNullOrEmpty
        (Get-ChildItem $TestDrive).Count | Should -Be $before
    }

    It 'names a folder that is not there, and a life that is too long' {
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $vault "$TestDrive/not-there" }) ArgumentInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $vault $TestDrive -ValidFor '11.00:00:00' }) ArgumentInvalid InvalidArgument
    }
}
