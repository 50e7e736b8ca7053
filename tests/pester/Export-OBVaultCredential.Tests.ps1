BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main
    $newest = Export-OBVaultCredential -Vault $vault.Location -Path $TestDrive
}
AfterAll { Remove-TestState }

Describe 'Export-OBVaultCredential' {
    It 'writes a file whose content tells nothing' {
        $newest | Should -BeOfType System.IO.FileInfo
        $newest.Extension | Should -Be '.VaultCredentials'
        $text = [System.Text.Encoding]::Latin1.GetString([System.IO.File]::ReadAllBytes($newest.FullName))
        $text | Should -Not -Match ([regex]::Escape($vault.Location))
        $text | Should -Not -Match $vault.VaultId
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
