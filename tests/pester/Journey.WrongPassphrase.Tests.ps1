# A machine is lost. Its successor has the same name and the same vault; and the passphrase that somebody remembers is wrong.
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $lostState = $env:MSONLINEBACKUP_STATE
    $lostName = $env:MSONLINEBACKUP_MACHINE
    $right = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
    $wrong = ConvertTo-SecureString 'A passphrase for tests' -AsPlainText -Force

    $env:MSONLINEBACKUP_MACHINE = 'files'
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    [System.IO.File]::WriteAllBytes("$work/src/large.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(1MB))
    $null = Invoke-TestBackup
    $credential = (Export-OBVaultCredential -Vault $vault -Path $work).FullName

    # Case is nothing to names of machines.
    $env:MSONLINEBACKUP_STATE = "$work/successor"
    $env:MSONLINEBACKUP_MACHINE = 'FILES'
}

AfterAll {
    Remove-Item -LiteralPath $work -Recurse -Force
    $env:MSONLINEBACKUP_STATE = $lostState
    $env:MSONLINEBACKUP_MACHINE = $lostName
    Remove-TestState
}

Describe 'A wrong passphrase' {
    It 'opens no machine of the vault' {
        $problem = Get-ErrorOf { Get-OBAlternateBackupServer $credential -EncryptionPassphrase $wrong }
        Assert-BackupError $problem PassphraseRejected AuthenticationError
        $problem.ErrorDetails.RecommendedAction | Should -BeLike '*capital letters*'
    }

    It 'takes over no machine: the registration stays incomplete, and nothing is backed up' {
        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase $wrong 6> $null }) MachineNameTaken ResourceExists '*files*'
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be NotSet
        (Get-OBNotification).ErrorId | Should -Be MachineNotActivated
        Assert-BackupError (Get-ErrorOf { Save-TestPolicy "$work/src" }) MachineNotActivated InvalidOperation
        Assert-BackupError (Get-ErrorOf { Get-OBAllRecoveryPoints }) MachineNotActivated InvalidOperation
    }

    It 'harms nothing: with the right one everything is there, and the next backup sends little' {
        Set-OBMachineSetting -EncryptionPassphrase $right 6> $null
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Set
        $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem) a.txt -IsDir $false
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one

        $null = Save-TestPolicy "$work/src"
        (Invoke-TestBackup).JobStatus.NewBytes | Should -BeLessThan 100KB
        Get-OBAllRecoveryPoints | Should -HaveCount 2
    }

    It 'makes no lost key file anew, and the right one does' {
        Remove-Item "$work/successor/scratch/OnlineBackup.KEK"
        Assert-BackupError (Get-ErrorOf { Invoke-TestBackup }) KeyFileInvalid InvalidData '*34506*'
        Assert-BackupError (Get-ErrorOf { Repair-OBKey $wrong }) PassphraseRejected AuthenticationError
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Invalid
        Repair-OBKey $right
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
    }
}
