BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault -Path "$TestDrive/vault" -Name Main
    $older = $vault | Export-OBVaultCredential -Path $TestDrive
    Start-Sleep -Milliseconds 1100
    $newest = Export-OBVaultCredential -Vault $vault.Location -Path $TestDrive
}
AfterAll { Remove-TestState }

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
        try { $result, $text = Start-OBRegistration -VaultCredentials "./$($newest.Name)" }
        finally { Pop-Location }
        $result.ServiceResourceName | Should -Be Main
        $result.SubscriptionID | Should -Be $vault.VaultId
        $result.Region | Should -Be $vault.Location
        $result.CertThumbprint | Should -BeNullOrEmpty
        $text | Should -BeExactly 'Machine registration succeeded.' -Because 'published scripts compare the last that comes'
    }

    It 'may be done again, and refuses another vault' {
        { Start-OBRegistration -VaultCredentials $newest.FullName 6> $null } | Should -Not -Throw
        $foreign = New-OBVault "$TestDrive/foreign" | Export-OBVaultCredential -Path $TestDrive
        $record = Get-ErrorOf { Start-OBRegistration -VaultCredentials $foreign.FullName }
        $record.FullyQualifiedErrorId | Should -BeLike 'VaultCredentialForeign,*'
        $record.Exception.ErrorCode | Should -Be '100110'
    }
}
