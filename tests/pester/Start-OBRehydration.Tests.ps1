BeforeDiscovery {
    . "$PSScriptRoot/Azurite.ps1"
    $hasAzurite = Test-Azurite
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Azurite.ps1"
}
AfterAll { Remove-TestState }

Describe 'Start-OBRehydration' {
    It 'says that a folder has no archive' {
        $vault = New-OBVault "$TestDrive/vault"
        Assert-BackupError (Get-ErrorOf { $vault | Start-OBRehydration }) ArgumentInvalid InvalidArgument '*folder*'
    }
}

if ($hasAzurite) {
    Describe 'Start-OBRehydration of a container' {
        BeforeAll {
            $azurite = Start-TestAzurite
            $vault = New-OBVault -Url "$($azurite.Url)/archived"
        }
        AfterAll { Stop-TestAzurite $azurite }

        It 'finds nothing where nothing is archived' {
            $found = $vault | Start-OBRehydration
            $found | Should -BeOfType MSOnlineBackup.OBRehydration
            $found.Location | Should -Be $vault.Location
            $found.StartedObjects, $found.StartedBytes, $found.PendingObjects, $found.PendingBytes | Should -Be 0, 0, 0, 0
        }

        It 'brings back what is archived, and counts it' {
            $sas = New-TestSas archived 'rcwl'
            $header = "$($vault.Location)/vault.json"
            $null = Invoke-WebRequest -Method Put -Uri "${header}?comp=tier&$sas" -Headers @{ 'x-ms-access-tier' = 'Archive'; 'x-ms-version' = '2021-12-02' } -SkipHeaderValidation
            Assert-BackupError (Get-ErrorOf { Get-OBVault $vault.Location }) VaultDataArchived ResourceBusy '*Archive*'

            $found = Start-OBRehydration $vault.Location -Priority
            $found.StartedObjects | Should -Be 1
            $found.StartedBytes | Should -BeGreaterThan 0
            (Get-OBVault $vault.Location).VaultId | Should -Be $vault.VaultId
        }

        It 'needs a vault' {
            Assert-BackupError (Get-ErrorOf { Start-OBRehydration "$($azurite.Url)/nowhere" }) VaultNotFound ObjectNotFound
        }

        It 'of Set-OBVault and Get-OBVault: tier and redundancy are kept, and other copies than declared warned of' {
            $changed = $vault | Set-OBVault -AccessTier Cool -Redundancy GeoRedundant -WarningVariable warnings
            $changed.AccessTier, $changed.Redundancy, $changed.AccountRedundancy | Should -Be Cool, GeoRedundant, GeoRedundant
            $warnings | Should -BeNullOrEmpty
            $null = $vault | Set-OBVault -Redundancy LocallyRedundant -WarningAction Ignore
            $null = Get-OBVault $vault.Location -WarningVariable warnings -WarningAction SilentlyContinue
            $warnings | Should -BeLike '*declared LocallyRedundant*is GeoRedundant*'
        }
    }
}
