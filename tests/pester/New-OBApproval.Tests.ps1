BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $points = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup).RecoveryPointId
    $vault = Get-OBVault
    $alice = @{ ApproverFile = "$work/alice"; ApproverPassphrase = ConvertTo-SecureString 'the passphrase of alice' -AsPlainText -Force }
    $bob = @{ ApproverFile = "$work/bob"; ApproverPassphrase = ConvertTo-SecureString 'the passphrase of bob' -AsPlainText -Force }
    $null = Set-OBVault $vault -Approver (New-OBApprover $vault @alice)
    $null = New-OBApprover $vault @bob
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'New-OBApproval' {
    It 'approves of one operation, once' {
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[0] }) ApprovalRejected AuthenticationError '*none was given*'
        $approval = New-OBApproval $vault DeletePoints @alice -ValidFor 00:10
        $approval | Should -BeOfType MSOnlineBackup.OBApproval
        "$approval", $approval.Operation | Should -Be $approval.Approval, DeletePoints
        (Remove-OBRecoveryPoint $points[0] -Approval $approval).RecoveryPointId | Should -Be $points[0]
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[1] -Approval $approval }) ApprovalRejected AuthenticationError '*used already*'
        $other = New-OBApproval $vault ChangePassphrase @alice
        Assert-BackupError (Get-ErrorOf { Remove-OBRecoveryPoint $points[1] -Approval $other }) ApprovalRejected AuthenticationError '*something else*'
    }

    It 'is nothing that somebody else can' {
        Assert-BackupError (Get-ErrorOf { New-OBApproval $vault DeletePoints @bob }) ApprovalRejected AuthenticationError '*none of the vault''s approvers*'
        Assert-BackupError (Get-ErrorOf { New-OBApproval $vault DeletePoints @alice -ValidFor 2.00:00 }) ArgumentInvalid InvalidArgument
    }

    It 'is asked of the owner, too, before the vault is protected less' {
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -Approver @() }) ApprovalRejected AuthenticationError
        (Set-OBVault $vault -UndeleteDays 20).UndeleteDays | Should -Be 20 -Because 'longer needs none'
        (Set-OBVault $vault -Approver @() -Approval (New-OBApproval $vault ChangeProtection @alice)).Approvers | Should -BeNullOrEmpty
        $null = Remove-OBRecoveryPoint $points[1]
    }
}
