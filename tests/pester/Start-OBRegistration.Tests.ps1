BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main
    $older = $vault | Export-OBVaultCredential -Path $TestDrive
    Start-Sleep -Milliseconds 1100
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

Describe 'Start-OBRegistration' {
    It 'registers nothing with -WhatIf' {
        Start-OBRegistration -VaultCredentials $newest.FullName -WhatIf | Should -BeNullOrEmpty
        Get-OBNotification | Select-Object -ExpandProperty ErrorId | Should -Contain MachineNotRegistered
    }

    It 'refuses <What> with the original''s number' -TestCases @(
        @{ What = 'a file that is not the newest'; Make = { $older.FullName } }
        @{ What = 'a file that has expired'; Make = {
                $brief = New-OBVault "$TestDrive/brief" | Export-OBVaultCredential -Path $TestDrive -ValidFor '00:00:00.001'
                Start-Sleep -Milliseconds 50
                $brief.FullName } }
        @{ What = 'a file with a byte changed'; Make = {
                $bytes = [System.IO.File]::ReadAllBytes($newest.FullName)
                $bytes[60] = $bytes[60] -bxor 1
                [System.IO.File]::WriteAllBytes("$TestDrive/changed.VaultCredentials", $bytes)
                "$TestDrive/changed.VaultCredentials" } }
        @{ What = 'a file of another kind'; Make = { Copy-Item $newest.FullName "$TestDrive/renamed.txt"; "$TestDrive/renamed.txt" } }
        @{ What = 'an empty file'; Make = { (New-Item "$TestDrive/empty.VaultCredentials" -Force).FullName } }
        @{ What = 'a file that is not there'; Make = { "$TestDrive/none.VaultCredentials" } }
    ) {
        $file = & $Make
        $record = Get-ErrorOf { Start-OBRegistration -VaultCredentials $file }
        Assert-BackupError $record VaultCredentialInvalid AuthenticationError '*34513*'
        $record.Exception.ErrorCode | Should -Be '34513'
    }

    It 'registers by a relative path, and says with what' {
        Push-Location $TestDrive
        try { $result = Start-OBRegistration -VaultCredentials "./$($newest.Name)" -InformationVariable lines 6> $null }
        finally { Pop-Location }
        $result.ServiceResourceName | Should -Be Main
        $result.SubscriptionID | Should -Be $vault.VaultId
        $result.Region | Should -Be $vault.Location
        $result.CertThumbprint | Should -BeNullOrEmpty
        "$lines" | Should -Be 'Machine registration succeeded.'
    }

    It 'may be done again, and refuses another vault' {
        { Start-OBRegistration -VaultCredentials $newest.FullName 6> $null } | Should -Not -Throw
        $foreign = New-OBVault "$TestDrive/foreign" | Export-OBVaultCredential -Path $TestDrive
        $record = Get-ErrorOf { Start-OBRegistration -VaultCredentials $foreign.FullName }
        $record.FullyQualifiedErrorId | Should -BeLike 'VaultCredentialForeign,*'
        $record.Exception.ErrorCode | Should -Be '100110'
    }
}

Describe 'Get-OBRecoveryService' {
    BeforeAll {
        $list = Join-Path $env:MSONLINEBACKUP_STATE recoveryservices.json
        $certificate = [MSOnlineBackup.OBCertificate]::new()
        $thumbprint = '0123456789ABCDEF0123456789ABCDEF01234567'
        $certificate.GetType().GetProperty('Thumbprint').SetValue($certificate, $thumbprint)
    }

    It 'finds nothing where nothing is listed' {
        Get-OBRecoveryService -Certificate $certificate | Should -BeNullOrEmpty
    }

    It 'finds the vaults that are listed for a certificate, and the machine registers with one' {
        ConvertTo-Json @(
            @{ certificate = '01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67'; vaultCredentials = $newest.FullName }
            @{ certificate = 'ffffffffffffffffffffffffffffffffffffffff'; vaultCredentials = 'elsewhere.VaultCredentials' }
        ) | Set-Content $list
        $service = Get-OBRecoveryService $certificate
        $service.ServiceResourceName | Should -Be Main
        $service.Location | Should -Be $vault.Location
        $result = $service | Start-OBRegistration 6> $null
        $result.CertThumbprint | Should -Be $thumbprint
        $result.SubscriptionID | Should -Be $vault.VaultId
    }

    It 'reports a vault that cannot be had, and goes on' {
        ConvertTo-Json @(
            @{ certificate = $thumbprint; vaultCredentials = 'missing.VaultCredentials' }
            @{ certificate = $thumbprint; vaultCredentials = $newest.FullName }
        ) | Set-Content $list
        $found = Get-OBRecoveryService $certificate -ErrorAction SilentlyContinue -ErrorVariable faults
        $found.ServiceResourceName | Should -Be Main
        $faults.Count | Should -Be 1
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'VaultCredentialInvalid,*'
    }

    It 'says what is wrong with the list' {
        '{ "certificate"' | Set-Content $list
        Assert-BackupError (Get-ErrorOf { Get-OBRecoveryService $certificate }) StateInvalid InvalidData "*recoveryservices.json*"
    }
}

Describe 'Get-OBCertificateListFromLocalStore' {
    It 'lists what has a private key' {
        $certificates = @(Get-OBCertificateListFromLocalStore)
        foreach ($certificate in $certificates) { $certificate.Thumbprint | Should -Match '^[0-9A-F]{40}$' }
    }
}
