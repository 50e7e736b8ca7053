BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $points = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup).RecoveryPointId
    $vault = Get-OBVault
    $passphrase = ConvertTo-SecureString 'the passphrase of the owner' -AsPlainText -Force
    $owner = @{ OwnerFile = "$work/owner"; OwnerPassphrase = $passphrase }
    $null = Export-OBVaultOwner $vault @owner -Remove
    $null = Set-OBVault $vault -RequirePin @owner
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'New-OBSecurityPin' {
    It 'gives out a PIN, which only the owner can' {
        $pin = New-OBSecurityPin $vault @owner
        $pin | Should -BeOfType MSOnlineBackup.OBSecurityPin
        $pin.SecurityPin | Should -Match '^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'
        "$pin", $pin.Vault | Should -Be $pin.SecurityPin, $vault.Location
        ($pin.ValidUntil - [datetime]::UtcNow).TotalMinutes | Should -BeGreaterThan 0
        ($pin.ValidUntil - [datetime]::UtcNow).TotalMinutes | Should -BeLessOrEqual 5
        Assert-BackupError (Get-ErrorOf { New-OBSecurityPin $vault }) OwnerRequired PermissionDenied
        Assert-BackupError (Get-ErrorOf { New-OBSecurityPin $vault -OwnerFile "$work/owner" -OwnerPassphrase (ConvertTo-SecureString 'not the passphrase' -AsPlainText -Force) }) PassphraseRejected AuthenticationError
    }

    It 'lets a point be deleted once; without it, or with a wrong one, nothing is' {
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[0] }) SecurityPinRejected AuthenticationError '*none was given*100130*'
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[0] -SecurityPin 123456 }) SecurityPinRejected AuthenticationError '*100130*'
        (Get-ErrorOf { Remove-OBRecoveryPoint $points[0] -SecurityPin ABCD-1234 }).Exception.ErrorCode | Should -Be 100130
        Get-OBAllRecoveryPoints | Should -HaveCount 3
        $pin = New-OBSecurityPin $vault @owner
        (Remove-OBRecoveryPoint $points[0] -SecurityPin $pin).RecoveryPointId | Should -Be $points[0]
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[1] -SecurityPin $pin }) SecurityPinRejected AuthenticationError '*used already*100130*'
    }

    It 'lets the passphrase be replaced' {
        $other = ConvertTo-SecureString 'another horse, another battery' -AsPlainText -Force
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase $other -SecurityPin '' }) SecurityPinRejected AuthenticationError
        Set-OBMachineSetting -EncryptionPassphrase $other -SecurityPin (New-OBSecurityPin $vault @owner) | Should -BeLike '*successfully*'
    }

    It 'lets retention be shortened, and longer retention needs none' {
        $policy = Get-OBPolicy
        $policy.RetentionPolicy = New-OBRetentionPolicy -RetentionDays 90
        $null = Set-OBPolicy $policy -WarningAction SilentlyContinue
        $policy = Get-OBPolicy
        $policy.RetentionPolicy = New-OBRetentionPolicy -RetentionDays 30
        Assert-BackupError (Get-ErrorOf { Set-OBPolicy $policy -WarningAction SilentlyContinue }) SecurityPinRejected AuthenticationError
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 90
        $null = Set-OBPolicy $policy -SecurityPIN (New-OBSecurityPin $vault @owner) -WarningAction SilentlyContinue
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 30
    }

    It 'is asked for by obengine, too, and given out by it' {
        $env:OBENGINE_PASSPHRASE, $env:OBENGINE_OWNER_PASSPHRASE = 'another horse, another battery', 'the passphrase of the owner'
        try {
            "$(Invoke-Obengine points delete $points[1] --vault $vault.Location 2>&1)" | Should -Match 'asks for a security PIN'
            $pin = (Invoke-Obengine owner pin $vault.Location --owner-file "$work/owner" --json | ConvertFrom-Json).code
            $null = Invoke-Obengine points delete $points[1] --vault $vault.Location --pin $pin
            (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $points[2]
        }
        finally {
            $env:OBENGINE_PASSPHRASE, $env:OBENGINE_OWNER_PASSPHRASE = $null, $null
        }
    }

    It 'lets a policy be removed with its backups, and is needed no longer when the owner says so' {
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Remove-OBPolicy -DeleteBackup }) SecurityPinRejected AuthenticationError
        Get-OBPolicy | Should -Not -BeNullOrEmpty
        Get-OBPolicy | Remove-OBPolicy -DeleteBackup -SecurityPIN (New-OBSecurityPin $vault @owner) | Should -BeOfType MSOnlineBackup.OBPolicy
        Get-OBAllRecoveryPoints | Should -BeNullOrEmpty
        (Set-OBVault $vault -RequirePin:$false @owner).RequirePin | Should -BeFalse
    }
}
