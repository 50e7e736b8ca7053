@{
    RootModule           = 'module/MSOnlineBackup.psm1'
    # The only version number: the build reads it here.
    ModuleVersion        = '0.1.0'
    GUID                 = '5f0a9d53-7c1e-4b0e-9a38-0e8d1f6b2c47'
    Author               = 'The MSOnlineBackup contributors'
    CompanyName          = 'The MSOnlineBackup contributors'
    Copyright            = '(c) The MSOnlineBackup contributors. MIT licence.'
    Description          = 'Backs up files, folders and the system state into an encrypted, deduplicated vault, and brings them back: the cmdlets of MSOnlineBackup over an open engine for Linux, Windows and macOS.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('module/MSOnlineBackup.Format.ps1xml')
    TypesToProcess       = @('module/MSOnlineBackup.Types.ps1xml')

    # Named one by one: PowerShell finds a command without loading the module, and loads nothing to list them.
    CmdletsToExport      = @(
        'Add-OBFileSpec'
        'Add-OBSystemState'
        'Export-OBPolicy'
        'Export-OBVaultCredential'
        'Export-OBVaultOwner'
        'Get-DPMCloudConnection'
        'Get-OBAllRecoveryPoints'
        'Get-OBAlternateBackupServer'
        'Get-OBCertificateListFromLocalStore'
        'Get-OBDeletedRecoveryPoint'
        'Get-OBErrorHelp'
        'Get-OBFileSpec'
        'Get-OBJob'
        'Get-OBMachineSetting'
        'Get-OBMachineUsage'
        'Get-OBNotification'
        'Get-OBPolicy'
        'Get-OBPolicyState'
        'Get-OBRecoverableItem'
        'Get-OBRecoverableSource'
        'Get-OBRecoveryService'
        'Get-OBRequiredEndpoint'
        'Get-OBRetentionPlan'
        'Get-OBRetentionPolicy'
        'Get-OBSchedule'
        'Get-OBSkippedItem'
        'Get-OBSystemStatePolicy'
        'Get-OBVault'
        'Import-OBPolicy'
        'Invoke-OBMaintenance'
        'Move-OBScratch'
        'New-OBApproval'
        'New-OBApprover'
        'New-OBFileSpec'
        'New-OBPagingContext'
        'New-OBPassphrase'
        'New-OBPolicy'
        'New-OBRecoverableItem'
        'New-OBRecoveryOption'
        'New-OBRetentionPolicy'
        'New-OBSchedule'
        'New-OBSecurityPin'
        'New-OBVault'
        'Read-OBPassphrase'
        'Remove-OBFileSpec'
        'Remove-OBPolicy'
        'Remove-OBRecoveryPoint'
        'Remove-OBSystemStatePolicy'
        'Rename-OBMachine'
        'Rename-OBVolume'
        'Repair-OBKey'
        'Repair-OBVault'
        'Restore-OBRecoveryPoint'
        'Set-OBMachineSetting'
        'Set-OBPolicy'
        'Set-OBPolicyState'
        'Set-OBRetentionPolicy'
        'Set-OBSchedule'
        'Set-OBSystemStatePolicy'
        'Set-OBVault'
        'Start-OBBackup'
        'Start-OBRecovery'
        'Start-OBRecoveryMount'
        'Start-OBRegistration'
        'Start-OBRehydration'
        'Start-OBSystemStateBackup'
        'Stop-OBJob'
        'Test-OBConnectivity'
        'Test-OBRecoveryPoint'
        'Test-OBVaultProtection'
        'Unregister-OBMachine'
        'Update-OBKey'
        'Wait-OBJob'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()

    PrivateData          = @{
        PSData = @{
            Tags       = @('Backup', 'Restore', 'Recovery', 'Encryption', 'Deduplication', 'MARS', 'PSEdition_Core', 'Linux', 'Windows', 'MacOS')
            ProjectUri = 'https://msonlinebackup.example'
            LicenseUri = 'https://opensource.org/license/mit'
            # 'Get-Help -Online' opens a page of docs/en-US below the project's address.
            ReleaseNotes = 'The first version. CHANGELOG.md, next to this manifest, lists what it can do.'
        }
    }
}
