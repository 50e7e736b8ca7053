BeforeDiscovery { . "$PSScriptRoot/Azurite.ps1" }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Azurite.ps1"
    $vault = New-OBVault "$TestDrive/vault" -WarningAction SilentlyContinue
}
AfterAll { Remove-TestState }

Describe 'Test-OBVaultProtection' {
    It 'says of each attempt whether the vault held, and leaves nothing behind' {
        $before = Get-ChildItem "$TestDrive/vault" -Recurse -File
        $tests = $vault | Test-OBVaultProtection
        $tests | ForEach-Object { $_ | Should -BeOfType MSOnlineBackup.OBProtectionTest }
        $tests.Name | Should -Be Delete, Overwrite, Backdate, Hide, Shorten, BecomeOwner, Destroy, DeleteYoung, Flood, StorageLock
        $open = $tests | Where-Object Result -EQ NotHeld
        $open.Name | Should -Contain Delete
        $open.Name | Should -Contain BecomeOwner
        $open | ForEach-Object { $_.Advice | Should -Not -BeNullOrEmpty }
        (Get-ChildItem "$TestDrive/vault" -Recurse -File).FullName | Should -Be $before.FullName
    }

    It 'sees what the owner has turned on' {
        $owner = @{ OwnerFile = "$TestDrive/owner"; OwnerPassphrase = ConvertTo-SecureString 'the passphrase of the owner' -AsPlainText -Force }
        $null = Export-OBVaultOwner $vault @owner -Remove
        $null = Set-OBVault $vault -RequirePin -Immutability On -ImmutableDays 7 @owner
        $held = Test-OBVaultProtection $vault | Where-Object Result -EQ Held
        $held.Name | Should -Be Shorten, BecomeOwner, Destroy, DeleteYoung
    }

    It 'is done by obengine, too' {
        $lines = Invoke-Obengine vault protection $vault.Location --json | ConvertFrom-Json
        ($lines | Where-Object type -EQ protection).check | Should -Contain Backdate
        ($lines | Where-Object type -EQ summary).count | Should -BeGreaterThan 0
    }

    It 'tries a container in Azure with the rights of a machine' -Skip:(-not (Test-Azurite)) {
        $azurite = Start-TestAzurite
        try {
            $url = "$($azurite.Url)/protected"
            $null = New-OBVault -Url $url -WarningAction SilentlyContinue
            $all = Test-OBVaultProtection $url
            ($all | Where-Object Name -In Delete, Overwrite).Result | Should -Be NotHeld, NotHeld
            ($all | Where-Object Name -EQ Backdate).Result | Should -Be Held
            $env:AZURE_STORAGE_SAS_TOKEN = New-TestSas protected
            $machine = Test-OBVaultProtection $url
            ($machine | Where-Object Name -In Delete, Overwrite, Backdate, Hide).Result | Should -Be Held, Held, Held, Held
        }
        finally {
            $env:AZURE_STORAGE_SAS_TOKEN = $null
            Stop-TestAzurite $azurite
        }
    }
}
