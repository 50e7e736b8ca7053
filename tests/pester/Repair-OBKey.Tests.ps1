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
}
