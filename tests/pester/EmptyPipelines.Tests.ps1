# What comes by the pipeline may be nothing, or null: a script asked, and nothing was found.
BeforeDiscovery {
    # What is given beside the pipeline, and the error where silence would be taken for success.
    $calls = @(
        @{ Name = 'Add-OBFileSpec'; With = @{ FileSpec = { New-OBFileSpec $TestDrive } } }
        @{ Name = 'Add-OBSystemState' }
        @{ Name = 'Add-OBVirtualMachine'; With = @{ Name = { 'vm1' }; QmpSocket = { '/run/vm1/qmp.sock' } } }
        @{ Name = 'Add-OBWorkload'; With = @{ PostgreSql = { $true }; Socket = { '/run/postgresql' } } }
        @{ Name = 'Compare-OBRecoveryPoint'; With = @{ Reference = { 'latest' } } }
        @{ Name = 'Copy-OBVault'; With = @{ Destination = { "$TestDrive/twin" } } }
        @{ Name = 'Find-OBRecoverableItem'; With = @{ SearchString = { '*' } } }
        @{ Name = 'Export-OBPolicy'; With = @{ Path = { "$TestDrive/policy.json" } } }
        @{ Name = 'Export-OBVaultCredential'; With = @{ Path = { "$TestDrive" } } }
        @{ Name = 'Get-OBAlternateBackupServer' }
        @{ Name = 'Get-OBFileSpec' }
        @{ Name = 'Get-OBPolicyState' }
        @{ Name = 'Get-OBRecoverableItem' }
        @{ Name = 'Get-OBRecoverableSource' }
        @{ Name = 'Get-OBRecoveryService' }
        @{ Name = 'Get-OBRetentionPolicy' }
        @{ Name = 'Get-OBSchedule' }
        @{ Name = 'Get-OBSkippedItem' }
        @{ Name = 'Export-OBVaultOwner'; With = @{ OwnerFile = { "$TestDrive/owner" }; OwnerPassphrase = { ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force } } }
        @{ Name = 'Get-OBCompliance' }
        @{ Name = 'Install-OBAgent' }
        @{ Name = 'Measure-OBCapacity'; With = @{ ProtectedBytes = { 1TB }; DailyChange = { '10%' } } }
        @{ Name = 'Get-OBFleet' }
        @{ Name = 'Get-OBDeletedRecoveryPoint' }
        @{ Name = 'Get-OBJobLog' }
        @{ Name = 'Remove-OBRecoveryPoint' }
        @{ Name = 'Restore-OBRecoveryPoint' }
        @{ Name = 'Restore-OBVirtualMachine'; With = @{ As = { 'vm2' }; To = { "$TestDrive/vm2" } } }
        @{ Name = 'Get-OBVault' }
        @{ Name = 'Get-OBWorkload' }
        @{ Name = 'New-OBFileSpec' }
        @{ Name = 'New-OBRecoverableItem'; With = @{ RelativePath = { 'a' }; IsDir = { $false } } }
        @{ Name = 'New-OBApproval'; With = @{ Operation = { 'DeletePoints' }; ApproverFile = { "$TestDrive/nobody" }; ApproverPassphrase = { ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force } } }
        @{ Name = 'New-OBApprover'; With = @{ ApproverFile = { "$TestDrive/approver" }; ApproverPassphrase = { ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force } } }
        @{ Name = 'New-OBSecurityPin' }
        @{ Name = 'Test-OBVaultProtection' }
        @{ Name = 'New-OBVault' }
        @{ Name = 'Remove-OBFileSpec'; With = @{ FileSpec = { New-OBFileSpec $TestDrive } } }
        @{ Name = 'Remove-OBPolicy' }
        @{ Name = 'Remove-OBSystemStatePolicy' }
        @{ Name = 'Remove-OBVirtualMachine'; With = @{ Name = { 'vm1' } } }
        @{ Name = 'Remove-OBWorkload'; With = @{ Name = { 'pg1' } } }
        @{ Name = 'Rename-OBVolume'; With = @{ NewVolumeName = { "$TestDrive" } } }
        @{ Name = 'Repair-OBKey' }
        @{ Name = 'Set-OBMachineSetting' }
        @{ Name = 'Set-OBPolicy' }
        @{ Name = 'Set-OBPolicyState'; With = @{ State = { 'Paused' } } }
        @{ Name = 'Set-OBRetentionPolicy'; With = @{ RetentionPolicy = { New-OBRetentionPolicy 30 } } }
        @{ Name = 'Set-OBSchedule'; With = @{ Schedule = { New-OBSchedule } } }
        @{ Name = 'Set-OBSystemStatePolicy' }
        @{ Name = 'Set-OBVault'; With = @{ MachineLimit = { 7 } } }
        @{ Name = 'Start-OBBackup'; Nothing = 'PolicyNotFound,*' }
        @{ Name = 'Start-OBRecovery'; Nothing = 'RecoverableItemNotFound,*' }
        @{ Name = 'Start-OBRecoveryMount'; With = @{ Path = { "$TestDrive/mounted" } } }
        @{ Name = 'Start-OBRegistration' }
        @{ Name = 'Start-OBRehydration' }
        @{ Name = 'Stop-OBJob' }
        @{ Name = 'Test-OBConnectivity' }
        @{ Name = 'Test-OBRecoveryPoint' }
        @{ Name = 'Update-OBKey' }
        @{ Name = 'Unregister-OBMachine'; With = @{ Name = { 'a' } } }
        @{ Name = 'Wait-OBJob' }
    )
    foreach ($call in $calls) {
        $call.With ??= @{}
        $call.Nothing ??= ''
    }
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    function Invoke-Pipeline([object] $Content, [string] $Name, [hashtable] $With) {
        $arguments = @{}
        foreach ($key in $With.Keys) { $arguments[$key] = & $With[$key] }
        $Content | & $Name @arguments
    }
}
AfterAll { Remove-TestState }

Describe 'A pipeline' {
    It 'is tried with every cmdlet that takes one' -TestCases @{ Tried = $calls.Name } {
        $takers = Get-Command -Module MSOnlineBackup | Where-Object {
            $_.ParameterSets.Parameters | Where-Object ValueFromPipeline
        }
        $takers.Name | Sort-Object | Should -Be ($Tried | Sort-Object)
    }

    It 'of null is told by <Name> as what binds to nothing' -TestCases $calls {
        $record = Get-ErrorOf { Invoke-Pipeline (, $null) $Name $With }
        $record.Exception | Should -BeOfType System.Management.Automation.ParameterBindingException -Because "$record"
        Get-ChildItem $env:MSONLINEBACKUP_STATE | Should -BeNullOrEmpty
    }

    It 'of nothing is nothing to do for <Name>, and where silence would mislead it is told' -TestCases $calls {
        if ($Nothing) {
            (Get-ErrorOf { Invoke-Pipeline @() $Name $With }).FullyQualifiedErrorId | Should -BeLike $Nothing
        }
        else {
            Invoke-Pipeline @() $Name $With | Should -BeNullOrEmpty
        }

        Get-ChildItem $env:MSONLINEBACKUP_STATE | Should -BeNullOrEmpty
    }
}
