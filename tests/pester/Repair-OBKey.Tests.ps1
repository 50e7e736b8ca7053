BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    function ConvertTo-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }
    $null = Initialize-TestMachine $TestDrive
    $keyFile = Join-Path $env:MSONLINEBACKUP_STATE scratch OnlineBackup.KEK
}
AfterAll { Remove-TestState }

Describe 'Repair-OBKey' {
    BeforeEach { Remove-Item $keyFile -ErrorAction Ignore }

    It 'makes a key file anew that was lost' {
        $record = Get-ErrorOf { Get-OBMachineUsage }
        $record.FullyQualifiedErrorId | Should -BeLike 'KeyFileInvalid,*'
        $record.Exception.ErrorCode | Should -Be '34506'
        Repair-OBKey -EncryptionPassphrase (ConvertTo-Secret 'a passphrase for tests')
        (Get-OBMachineUsage).StorageUsedByMachineInBytes | Should -BeGreaterOrEqual 0
    }

    It 'takes no other passphrase, and makes no file by one' {
        (Get-ErrorOf { Repair-OBKey (ConvertTo-Secret 'a passphrase of others') }).FullyQualifiedErrorId | Should -BeLike 'PassphraseRejected,*'
        $keyFile | Should -Not -Exist
    }

    It 'makes nothing with -WhatIf' {
        Repair-OBKey -EncryptionPassphrase (ConvertTo-Secret 'a passphrase for tests') -WhatIf
        $keyFile | Should -Not -Exist
    }

    It 'takes the URI of a Key Vault, or of a key in one, and of nothing else' {
        foreach ($wrong in @{ KeyVaultUri = 'https://example.org/' }, @{ KeyVaultUri = 'https://backups.vault.azure.net/keys/wrapping' }, @{ KeyVaultKey = 'https://backups.vault.azure.net/' }) {
            $record = Get-ErrorOf { Repair-OBKey @wrong }
            $record.FullyQualifiedErrorId | Should -BeLike 'KeyVaultUriInvalid,*'
            $record.Exception.ErrorCode | Should -Be '100272'
        }
        $keyFile | Should -Not -Exist
    }

    It 'takes one way at a time' {
        { Repair-OBKey -KeyVaultUri 'https://backups.vault.azure.net/' -KeyVaultKey 'https://backups.vault.azure.net/keys/wrapping' -WhatIf } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }

    It 'asks no Key Vault with -WhatIf' {
        { Repair-OBKey -KeyVaultUri 'https://backups.vault.azure.net/' -WhatIf } | Should -Not -Throw
        { Repair-OBKey -KeyVaultKey 'https://backups.vault.azure.net/keys/wrapping' -WhatIf } | Should -Not -Throw
    }
}
