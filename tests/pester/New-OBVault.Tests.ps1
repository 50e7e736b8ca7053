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

    It 'takes folders only' {
        Assert-BackupError (Get-ErrorOf { New-OBVault 'env:vault' }) ArgumentInvalid InvalidArgument
    }
}
