BeforeDiscovery {
    $cases = [ordered]@{
        'Add-OBFileSpec'             = { Add-OBFileSpec $draft (New-OBFileSpec $work) -WhatIf }
        'Add-OBSystemState'          = { Add-OBSystemState (New-OBPolicy) -WhatIf }
        'Add-OBVirtualMachine'       = { Add-OBVirtualMachine vm1 $draft -QmpSocket /run/vm1/qmp.sock -WhatIf }
        'Add-OBWorkload'             = { Add-OBWorkload $draft -PostgreSql -Socket /run/postgresql -WhatIf }
        'Copy-OBVault'               = { Copy-OBVault -Destination $twin -WhatIf }
        'Export-OBDiagnostic'        = { Export-OBDiagnostic $work -WhatIf }
        'Export-OBMonitoringCredential' = { Export-OBMonitoringCredential "$work/office.MonitoringCredential" -WhatIf }
        'Export-OBPolicy'            = { Export-OBPolicy $draft -Path "$work/policy.json" -WhatIf }
        'Export-OBReport'            = { Export-OBReport "$work/report.html" -WhatIf }
        'Export-OBVaultCredential'   = { Export-OBVaultCredential $vault $work -WhatIf }
        'Export-OBVaultOwner'        = { Export-OBVaultOwner $vault "$work/owner" -OwnerPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) -Remove -WhatIf }
        'Import-OBSeed'              = { Import-OBSeed $seed -WhatIf }
        'Install-OBAgent'            = { Install-OBAgent nowhere -WhatIf }
        'Invoke-OBMaintenance'       = { Invoke-OBMaintenance -WhatIf }
        'Move-OBScratch'             = { Move-OBScratch $work -WhatIf }
        'New-OBApproval'             = { New-OBApproval $vault DeletePoints -ApproverFile "$work/nobody" -ApproverPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) -WhatIf }
        'New-OBApprover'             = { New-OBApprover $vault "$work/approver" -ApproverPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) -WhatIf }
        'New-OBProtectionGroup'      = { if (-not $IsWindows) { New-OBProtectionGroup other -Machine m2 -Policy $draft -DiskVault $vault -WhatIf } }
        'New-OBSecurityPin'          = { New-OBSecurityPin $vault -WhatIf }
        'New-OBVault'                = { New-OBVault "$work/another" -WhatIf }
        'Remove-OBAlarmSink'         = { Remove-OBAlarmSink chat -WhatIf }
        'Remove-OBFileSpec'          = { Remove-OBFileSpec $draft -FileSpec (New-OBFileSpec $source) -WhatIf }
        'Remove-OBPolicy'            = { Get-OBPolicy | Remove-OBPolicy -WhatIf }
        'Remove-OBProtectionGroup'   = { if (-not $IsWindows) { Remove-OBProtectionGroup web -WhatIf } }
        'Remove-OBRecoveryPoint'     = { Get-OBAllRecoveryPoints | Remove-OBRecoveryPoint -WhatIf }
        'Remove-OBSystemStatePolicy' = { Get-OBSystemStatePolicy | Remove-OBSystemStatePolicy -WhatIf }
        'Remove-OBVirtualMachine'    = { Remove-OBVirtualMachine vm1 (New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket /run/vm1/qmp.sock) -WhatIf }
        'Remove-OBWorkload'          = { Remove-OBWorkload (New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /run/postgresql) pg1 -WhatIf }
        'Rename-OBMachine'           = { Rename-OBMachine renamed -WhatIf }
        'Rename-OBVolume'            = { Rename-OBVolume $source $work -WhatIf }
        'Repair-OBKey'               = { Repair-OBKey (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) -WhatIf }
        'Repair-OBModule'            = { Repair-OBModule $package $module -WhatIf }
        'Repair-OBSchedule'          = { Repair-OBSchedule -WhatIf }
        'Repair-OBVault'             = { Repair-OBVault -WhatIf }
        'Restore-OBRecoveryPoint'    = { Restore-OBRecoveryPoint $deleted -WhatIf }
        'Restore-OBVirtualMachine'   = { Restore-OBVirtualMachine $item -As vm2 -To "$work/vm2" -WhatIf }
        'Set-OBAlarmSink'            = { Set-OBAlarmSink log -SystemLog -WhatIf }
        'Set-OBMachineSetting'       = { Set-OBMachineSetting -ProxyServer proxy.example.com -ProxyPort 8080 -WhatIf }
        'Set-OBPolicy'               = { $changed = Get-OBPolicy; $changed.BackupSchedule = New-OBSchedule; Set-OBPolicy $changed -WhatIf }
        'Set-OBPolicyState'          = { Get-OBPolicy | Set-OBPolicyState -State Paused -WhatIf }
        'Set-OBProtectionGroup'      = { if (-not $IsWindows) { Set-OBProtectionGroup web -NewName sites -WhatIf } }
        'Set-OBRetentionPolicy'      = { Set-OBRetentionPolicy $draft (New-OBRetentionPolicy 99) -WhatIf }
        'Set-OBSchedule'             = { Set-OBSchedule $draft (New-OBSchedule) -WhatIf }
        'Set-OBSystemStatePolicy'    = { $changed = Get-OBSystemStatePolicy; $changed.BackupSchedule = New-OBSchedule; Set-OBSystemStatePolicy $changed -WhatIf }
        'Set-OBVault'                = { Set-OBVault $vault -MachineLimit 7 -WhatIf }
        'Start-OBBackup'             = { Get-OBPolicy | Start-OBBackup -WhatIf }
        'Start-OBRecovery'           = { Start-OBRecovery $item (New-OBRecoveryOption "$work/back") -WhatIf }
        'Start-OBRecoveryMount'      = { Start-OBRecoveryMount $item "$work/mounted" -WhatIf }
        'Start-OBRegistration'       = { Start-OBRegistration -VaultCredentials $credential.FullName -WhatIf }
        'Start-OBRehydration'        = { Start-OBRehydration 'http://127.0.0.1:9/devstoreaccount1/vault' -WhatIf }
        'Start-OBSystemStateBackup'  = { Start-OBSystemStateBackup -WhatIf }
        'Stop-OBJob'                 = { Get-OBJob -Previous 1 | Stop-OBJob -WhatIf }
        'Stop-OBRecoveryMount'       = { Stop-OBRecoveryMount "$work/mounted" -WhatIf }
        'Sync-OBServer'              = { Sync-OBServer $vault -WhatIf }
        'Update-OBAgent'             = { Update-OBAgent $newer -Path $module -WhatIf }
        'Update-OBKey'               = { Update-OBKey (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) -WhatIf }
        'Uninstall-OBAgent'          = { Uninstall-OBAgent nowhere -WhatIf -ErrorAction SilentlyContinue }
        'Unregister-OBMachine'       = { Unregister-OBMachine $vault (Get-OBVault).Machines[0] -WhatIf }
    }
    $cmdlets = @($cases.Keys | ForEach-Object { @{ Name = $_; Script = $cases[$_] } })
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $twin = (New-OBVault "$work/twin" -TwinOf $vault).Location
    $null = Save-TestPolicy $source
    $null = New-OBPolicy | Add-OBSystemState | Set-OBSchedule -Schedule (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30) |
        Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBSystemStatePolicy
    $null = Invoke-TestBackup
    $null = Invoke-TestBackup
    $deleted = Get-OBAllRecoveryPoints | Select-Object -Last 1 | Remove-OBRecoveryPoint -Confirm:$false
    $seed = "$work/seed"
    $null = Get-OBPolicy | Start-OBBackup -SeedPath $seed 6> $null
    $credential = Export-OBVaultCredential $vault $work
    . "$PSScriptRoot/ModuleFolder.ps1"
    $module = New-TestModule "$work/module"
    $package = New-TestPackage $module "$work/module.nupkg"
    $newer = New-TestPackage (New-TestModule "$work/newer" 1.2.4) "$work/newer.nupkg"
    Remove-Item "$module/module/bin/One.dll"
    $draft = Get-OBPolicy
    $null = Set-OBAlarmSink chat -WebhookUrl (ConvertTo-SecureString 'http://127.0.0.1:9/' -AsPlainText -Force)
    $item = Get-OBRecoverableSource | Get-OBRecoverableItem

    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        New-TestMachine m1, m2
        $null = Install-OBAgent m1, m2 -PackagePath (New-TestAgentPackage 9.1.0) -HostKeyFingerprint $fingerprint
        $null = New-OBProtectionGroup web -Machine m1 -Policy $draft -DiskVault $vault
    }

    # All that a cmdlet could have changed: the state, the vault and what lies beside it, and the draft.
    function Get-Picture {
        $files = Get-ChildItem -LiteralPath $work, $env:MSONLINEBACKUP_STATE -Recurse -File -Force | Sort-Object FullName
        ($files | Get-FileHash | ForEach-Object { "$($_.Path) $($_.Hash)" }) + ($draft | ConvertTo-Json -Depth 5)
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe '-WhatIf' {
    It 'of <Name> changes nothing' -TestCases $cmdlets {
        $before = Get-Picture
        $null = & $Script
        Get-Picture | Should -Be $before
    }

    It 'is tested of every cmdlet that has it' -TestCases @{ Tested = $cmdlets.Name } {
        (Get-Command -Module MSOnlineBackup | Where-Object { $_.Parameters.ContainsKey('WhatIf') }).Name | Sort-Object | Should -Be ($Tested | Sort-Object)
    }
}
