BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $lostState = $env:MSONLINEBACKUP_STATE
    $lostMachine = $env:MSONLINEBACKUP_MACHINE
    $secret = { param($text) ConvertTo-SecureString $text -AsPlainText -Force }
    $lost = & $secret 'a passphrase for tests'
    $own = & $secret 'this machine has its own'

    # The machine that is lost later.
    $env:MSONLINEBACKUP_MACHINE = 'lost'
    $vault = Initialize-TestMachine $work
    $null = New-TestTree "$work/src"
    $null = Save-TestPolicy "$work/src"
    $null = Invoke-TestBackup
    $credential = (Export-OBVaultCredential -Vault $vault -Path $work).FullName

    # The machine that helps: in the same vault, with another passphrase.
    $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/state").FullName
    $env:MSONLINEBACKUP_MACHINE = 'helper'
}

AfterAll {
    Remove-Item -LiteralPath $work -Recurse -Force
    $env:MSONLINEBACKUP_STATE = $lostState
    $env:MSONLINEBACKUP_MACHINE = $lostMachine
    Remove-TestState
}

Describe 'Data of another machine' {
    It 'come to a machine that is not registered, with the credential file and the passphrase' {
        $server = Get-OBAlternateBackupServer $credential -EncryptionPassphrase $lost | Where-Object ServerName -EQ lost
        $source = Get-OBRecoverableSource -Server $server
        $source.ServerName | Should -Be lost
        (Get-OBAlternateBackupServer $credential $lost | Get-OBRecoverableSource).FriendlyName | Should -Be "$work/src"
        $point = Get-OBRecoverableItem -Source $source
        $item = Get-OBRecoverableItem -RecoveryPoint $point -Location "$work/src" -SearchString b.txt
        $option = New-OBRecoveryOption -DestinationPath "$work/helped"
        $job = Start-OBRecovery -RecoverableItem $item -RecoveryOption $option -EncryptionPassphrase $lost 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/helped/b.txt" -Raw | Should -Be 'two, and longer'
    }

    It 'come without asking for the passphrase again, where it was given for browsing' {
        $item = Get-OBAlternateBackupServer $credential $lost | Get-OBRecoverableSource | Get-OBRecoverableItem
        $null = Start-OBRecovery $item (New-OBRecoveryOption "$work/again") 6> $null
        Test-Path "$work/again/src/sub/b.txt" | Should -BeTrue
    }

    It 'are not opened without the passphrase' {
        $problem = Get-ErrorOf { Get-OBAlternateBackupServer $credential | Get-OBRecoverableSource }
        Assert-BackupError $problem RecoveryOptionMissing InvalidArgument '*lost*'
        $problem.ErrorDetails.RecommendedAction | Should -BeLike '*-EncryptionPassphrase*'
    }

    It 'need a folder to go to' {
        $item = Get-OBAlternateBackupServer $credential $lost | Get-OBRecoverableSource | Get-OBRecoverableItem
        $problem = Get-ErrorOf { Start-OBRecovery $item 6> $null }
        Assert-BackupError $problem RecoveryOptionMissing InvalidArgument '*lost*'
        $problem.ErrorDetails.RecommendedAction | Should -BeLike '*New-OBRecoveryOption*'
    }

    It 'stay closed to a machine of the same vault that has a passphrase of its own' {
        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        Set-OBMachineSetting -EncryptionPassphrase $own 6> $null
        $server = Get-OBAlternateBackupServer $credential | Where-Object ServerName -EQ lost
        Assert-BackupError (Get-ErrorOf { $server | Get-OBRecoverableSource }) RecoveryOptionMissing InvalidArgument
        $server = Get-OBAlternateBackupServer $credential $own | Where-Object ServerName -EQ lost
        Assert-BackupError (Get-ErrorOf { $server | Get-OBRecoverableSource }) RecoveryPointNotFound ObjectNotFound
    }
}
