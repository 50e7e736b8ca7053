BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main
    $newest = Export-OBVaultCredential -Vault $vault -Path $TestDrive
}
AfterAll { Remove-TestState }

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
        $result, $line = $service | Start-OBRegistration 6> $null
        $line | Should -Be 'Machine registration succeeded.'
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
