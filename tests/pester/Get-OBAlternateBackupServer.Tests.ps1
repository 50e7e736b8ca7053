BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $credential = (Export-OBVaultCredential -Vault "$work/vault" -Path $work).FullName
    $own = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBAlternateBackupServer' {
    It 'lists the machines of the vault' {
        $servers = Get-OBAlternateBackupServer -VaultCredentials $credential
        $servers | Should -BeOfType MSOnlineBackup.OBBackupServer
        $servers.ServerName | Should -HaveCount 1
        (Get-OBAlternateBackupServer $credential).ServerName | Should -Be $servers.ServerName
        ($credential | Get-OBAlternateBackupServer).ServerName | Should -Be $servers.ServerName
    }

    It 'takes a relative path' {
        Push-Location $work
        try { Get-OBAlternateBackupServer (Split-Path $credential -Leaf) | Should -HaveCount 1 } finally { Pop-Location }
    }

    It 'shows the passphrase to nobody' {
        $server = Get-OBAlternateBackupServer $credential -EncryptionPassphrase $own
        $server | Format-List * | Out-String | Should -Not -Match 'passphrase'
        $server | ConvertTo-Json -Depth 5 | Should -Not -Match 'passphrase'
        [System.Management.Automation.PSSerializer]::Serialize($server, 5) | Should -Not -Match 'passphrase|Access'
    }

    It 'refuses a file that is no credential, and one that is altered' {
        Set-Content "$work/no.VaultCredentials" 'none'
        Assert-BackupError (Get-ErrorOf { Get-OBAlternateBackupServer "$work/no.VaultCredentials" }) VaultCredentialInvalid AuthenticationError '*34513*'
        Assert-BackupError (Get-ErrorOf { Get-OBAlternateBackupServer "$work/missing.VaultCredentials" }) VaultCredentialInvalid AuthenticationError
    }
}
