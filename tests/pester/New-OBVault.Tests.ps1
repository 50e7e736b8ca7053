BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBVault' {
    It 'creates a vault and returns it' {
        $vault = New-OBVault -Path "$TestDrive/one" -Name Offsite
        $vault.Name | Should -Be Offsite
        $vault.Location | Should -Be "$TestDrive/one"
        $vault.VaultId | Should -Match '^[0-9a-f]{32}$'
        $vault.RecoveryPoints | Should -Be 0
        "$TestDrive/one/vault.json" | Should -Exist
    }

    It 'is called by its folder where no name is given' {
        (New-OBVault "$TestDrive/two/").Name | Should -Be two
    }

    It 'takes a path that is relative to the location' {
        Push-Location $TestDrive
        try { (New-OBVault three).Location | Should -Be (Join-Path $TestDrive three) }
        finally { Pop-Location }
    }

    It 'creates nothing with -WhatIf' {
        New-OBVault "$TestDrive/four" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/four" | Should -Not -Exist
    }

    It 'leaves alone what is there' {
        $null = New-OBVault "$TestDrive/five"
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/five" }) VaultExists ResourceExists
    }

    It 'makes no folder of a URL without its scheme' {
        Push-Location $TestDrive
        try {
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url account.blob.core.windows.net/vault }) ArgumentInvalid InvalidArgument '*is no URL*'
            'account.blob.core.windows.net' | Should -Not -Exist
        }
        finally { Pop-Location }
    }

    It 'takes a URL without its name too' {
        Assert-BackupError (Get-ErrorOf { New-OBVault http://192.0.2.1/account/vault }) ArgumentInvalid InvalidArgument '*plain HTTP*'
    }

    It 'takes folders only' {
        Assert-BackupError (Get-ErrorOf { New-OBVault 'env:vault' }) ArgumentInvalid InvalidArgument
    }
}
