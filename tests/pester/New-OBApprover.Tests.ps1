BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = New-OBVault "$TestDrive/vault" -WarningAction SilentlyContinue
    $passphrase = ConvertTo-SecureString 'the passphrase of alice' -AsPlainText -Force
}
AfterAll { Remove-TestState }

Describe 'New-OBApprover' {
    It 'writes a key to a file, once, and changes nothing in the vault' {
        $approver = $vault | New-OBApprover -ApproverFile "$TestDrive/alice" -ApproverPassphrase $passphrase
        $approver | Should -BeOfType MSOnlineBackup.OBApprover
        "$approver", $approver.File | Should -Be $approver.PublicKey, "$TestDrive/alice"
        $approver.Fingerprint | Should -Match '^[0-9a-f]{64}$'
        (Get-OBVault $vault).Approvers | Should -BeNullOrEmpty
        Assert-BackupError (Get-ErrorOf { New-OBApprover $vault "$TestDrive/alice" -ApproverPassphrase $passphrase }) OwnerFileInvalid InvalidData '*exists already*'
        Assert-BackupError (Get-ErrorOf { New-OBApprover $vault "$TestDrive/short" -ApproverPassphrase (ConvertTo-SecureString short -AsPlainText -Force) }) PassphraseInvalid InvalidArgument
    }

    It 'makes who can be named, and nobody else' {
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -Approver nobody }) ArgumentInvalid InvalidArgument
        $approver = New-OBApprover $vault "$TestDrive/bob" -ApproverPassphrase $passphrase
        (Set-OBVault $vault -Approver $approver).Approvers | Should -Be $approver.PublicKey
    }
}
