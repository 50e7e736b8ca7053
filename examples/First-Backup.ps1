#Requires -Version 7.6
# A first backup and recovery, in a temporary folder of its own: data, vault and the machine's state. With -Url the vault is made in a container in Azure, and stays.
param([string] $Url)
$ErrorActionPreference = 'Stop'   # The first failure ends the script: nothing is said to have worked that did not.
Import-Module "$PSScriptRoot/../MSOnlineBackup.psd1"
$root = (New-Item -ItemType Directory -Path ([IO.Path]::GetTempPath()) -Name "first-backup-$(New-Guid)").FullName
$file = New-Item -Path "$root/data/report.txt" -Value 'as it was' -Force
$before, $env:MSONLINEBACKUP_STATE = $env:MSONLINEBACKUP_STATE, "$root/state"

try {
    $vault = $Url ? (New-OBVault -Url $Url) : (New-OBVault -Path "$root/vault")
    $credential = $vault | Export-OBVaultCredential -Path $root
    Start-OBRegistration -VaultCredentials $credential.FullName -Confirm:$false
    Set-OBMachineSetting -EncryptionPassphrase (New-OBPassphrase | ConvertTo-SecureString -AsPlainText -Force)

    $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec "$root/data")
    $policy | Set-OBSchedule -Schedule (New-OBSchedule -TimesOfDay '21:00') |
        Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBPolicy -Confirm:$false
    Get-OBPolicy | Start-OBBackup

    # Into a folder: that goes on every system.
    $file | Set-Content -Value 'changed by mistake'
    $point = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
    $item = New-OBRecoverableItem -OBRecoverableItem $point -RelativePath report.txt -IsDir $false
    Start-OBRecovery -RecoverableItem $item -RecoveryOption (New-OBRecoveryOption -DestinationPath $file.DirectoryName -OverwriteType Overwrite)

    $content = Get-Content -Path $file
    if ($content -ne 'as it was') {
        throw "report.txt was not recovered: it says '$content'."
    }

    "report.txt is again: $content"
}
finally {
    $env:MSONLINEBACKUP_STATE = $before
    Remove-Item -Path $root -Recurse -Force
}
