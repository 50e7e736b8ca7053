BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault "$TestDrive/vault" -Name Main
}
AfterAll { Remove-TestState }

Describe 'Set-OBVault' {
    It 'notes the demand for private endpoints, and takes it back' {
        $closed = New-OBVault "$TestDrive/closed"
        $closed.RequirePrivateEndpoint | Should -BeFalse
        (Set-OBVault $closed -RequirePrivateEndpoint).RequirePrivateEndpoint | Should -BeTrue
        $changed = Set-OBVault $closed -MachineLimit 7
        $changed.RequirePrivateEndpoint | Should -BeTrue -Because 'what is not given stays'
        (Set-OBVault $closed -RequirePrivateEndpoint:$false).RequirePrivateEndpoint | Should -BeFalse
        Assert-BackupError (Get-ErrorOf { Set-OBVault $closed }) ArgumentInvalid InvalidArgument
    }

    It 'finds fifty machines allowed in a new vault' { $vault.MachineLimit | Should -Be 50 }

    It 'sets how many machines there may be, of a vault or its path, and returns the vault' {
        $changed = $vault | Set-OBVault -MachineLimit 51
        $changed | Should -BeOfType MSOnlineBackup.OBVault
        $changed.VaultId, $changed.MachineLimit | Should -Be $vault.VaultId, 51
        (Set-OBVault "$TestDrive/vault" -MachineLimit 10000).MachineLimit | Should -Be 10000
        (Get-OBVault "$TestDrive/vault").MachineLimit | Should -Be 10000
    }

    It 'refuses <_> machines' -TestCases 0, -1, 10001 {
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -MachineLimit $_ }) ArgumentInvalid InvalidArgument '*1 to 10,000*'
    }

    It 'sets for how long deleted points can be brought back' {
        $vault.UndeleteDays | Should -Be 14
        (Set-OBVault $vault -UndeleteDays 180).UndeleteDays | Should -Be 180
        (Get-OBVault $vault).UndeleteDays | Should -Be 180
        (Set-OBVault $vault -MachineLimit 50).UndeleteDays | Should -Be 180 -Because 'what is not given stays'
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -UndeleteDays 13 }) ArgumentInvalid InvalidArgument '*14 to 180*'
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -UndeleteDays 181 }) ArgumentInvalid InvalidArgument '*14 to 180*'
        $owner = @{ OwnerFile = "$TestDrive/longer-owner"; OwnerPassphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force }
        (New-OBVault "$TestDrive/longer" -UndeleteDays 30 @owner).UndeleteDays | Should -Be 30
        (Get-OBVault "$TestDrive/longer").UndeleteDays | Should -Be 30
    }

    It 'sets how much parity maintenance keeps' {
        $vault.ParityPercent | Should -Be 0
        (Set-OBVault $vault -ParityPercent 5).ParityPercent | Should -Be 5
        (Set-OBVault $vault -MachineLimit 50).ParityPercent | Should -Be 5 -Because 'what is not given stays'
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -ParityPercent 4 }) ArgumentInvalid InvalidArgument '*5 to 25*'
        (Set-OBVault $vault -ParityPercent 0).ParityPercent | Should -Be 0
        $owner = @{ OwnerFile = "$TestDrive/parity-owner"; OwnerPassphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force }
        (New-OBVault "$TestDrive/parity" -ParityPercent 10 @owner).ParityPercent | Should -Be 10
    }

    It 'sets within how many days all is read back, and whether backups maintain the vault' {
        $vault.VerifyDays, $vault.MaintainAfterBackup | Should -Be 30, $true
        $changed = Set-OBVault $vault -VerifyDays 7 -MaintainAfterBackup:$false
        $changed.VerifyDays, $changed.MaintainAfterBackup | Should -Be 7, $false
        (Set-OBVault $vault -VerifyDays 0).MaintainAfterBackup | Should -BeFalse -Because 'what is not given stays'
        (Set-OBVault $vault -MaintainAfterBackup).VerifyDays | Should -Be 0
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -VerifyDays 3651 }) ArgumentInvalid InvalidArgument '*3,650*'
    }

    It 'makes a vault immutable, as long as the owner wants, and locks it for good' {
        $immutable = New-OBVault "$TestDrive/immutable"
        $immutable.Immutability, $immutable.ImmutableDays, $immutable.RequirePin | Should -Be Off, 0, $false
        Assert-BackupError (Get-ErrorOf { Set-OBVault $immutable -Immutability On }) ArgumentInvalid InvalidArgument '*the number of days*'
        $changed = Set-OBVault $immutable -Immutability On -ImmutableDays 30
        $changed.Immutability, $changed.ImmutableDays | Should -Be On, 30
        (Set-OBVault $immutable -Immutability Off).ImmutableDays | Should -Be 0
        (Set-OBVault $immutable -Immutability Locked -ImmutableDays 20).Immutability | Should -Be Locked
        Assert-BackupError (Get-ErrorOf { Set-OBVault $immutable -Immutability Off }) VaultImmutable PermissionDenied '*810001*'
        Assert-BackupError (Get-ErrorOf { Set-OBVault $immutable -ImmutableDays 19 }) VaultImmutable PermissionDenied '*810001*'
        (Set-OBVault $immutable -ImmutableDays 40).ImmutableDays | Should -Be 40
    }

    It 'sets for how long something unusual puts a brake on deletion, and releases it' {
        (Get-OBVault $vault).BrakeDays | Should -Be 14
        (Set-OBVault $vault -BrakeDays 30).BrakeDays | Should -Be 30
        (Set-OBVault $vault -BrakeDays 0).BrakeDays | Should -Be 0
        Set-OBVault $vault -ReleaseBrake WEB1 | Should -BeOfType MSOnlineBackup.OBVault
        Get-ChildItem "$TestDrive/vault/records" | Where-Object Extension -NE .copy | Should -HaveCount 1
    }

    It 'lets nobody in beyond the limit, but those who were there' {
        $machine = Initialize-TestMachine "$TestDrive/own"
        $null = Set-OBVault $machine -MachineLimit 1
        $credential = (Export-OBVaultCredential $machine $TestDrive).FullName
        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        $other = $env:MSONLINEBACKUP_STATE, $env:MSONLINEBACKUP_MACHINE
        try {
            $env:MSONLINEBACKUP_STATE, $env:MSONLINEBACKUP_MACHINE = "$TestDrive/other-state", 'OTHER'
            Assert-BackupError (Get-ErrorOf { Start-OBRegistration -VaultCredentials $credential 6> $null }) MachineLimitReached LimitsExceeded
        }
        finally {
            $env:MSONLINEBACKUP_STATE, $env:MSONLINEBACKUP_MACHINE = $other
        }
    }

    It 'tells damaged settings, and changes nothing' {
        $damaged = New-OBVault "$TestDrive/damaged"
        $null = $damaged | Set-OBVault -MachineLimit 7
        Get-ChildItem "$TestDrive/damaged/settings" | ForEach-Object {
            $_.IsReadOnly = $false
            Set-Content $_.FullName '{'
        }

        Assert-BackupError (Get-ErrorOf { $damaged | Set-OBVault -MachineLimit 8 }) VaultDataCorrupt InvalidData '*settings*'
        Get-ChildItem "$TestDrive/damaged/settings" | Where-Object Extension -NE .copy | Should -HaveCount 1
    }

    It 'needs a vault' {
        Assert-BackupError (Get-ErrorOf { Set-OBVault "$TestDrive/nowhere" -MachineLimit 7 }) VaultNotFound ObjectNotFound
    }
}
