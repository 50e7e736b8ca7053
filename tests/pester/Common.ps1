# Every test file begins with it: the module that is tested, a machine state of the file's own, and strictness.
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

# What the confirmation of this session would ask, nobody answers.
$ConfirmPreference = 'None'

$manifest = $env:MSONLINEBACKUP_TESTED_MANIFEST
if (-not $manifest) {
    $manifest = (Resolve-Path "$PSScriptRoot/../../MSOnlineBackup.psd1").Path
}

Import-Module $manifest
$env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-tests-$(New-Guid)")).FullName
$env:MSONLINEBACKUP_PROFILE = $null

# No test changes the schedules of the machine that it runs on. One that is about them says so.
$env:MSONLINEBACKUP_SCHEDULER = 'None'
$env:MSONLINEBACKUP_SYSTEM_LOG = 'None'

# The state folder of the file goes when the file is done: AfterAll { Remove-TestState }.
function Remove-TestState {
    # Maintenance of a vault that is immutable has flagged files where it could.
    if ($IsLinux -and (Get-Command chattr -ErrorAction Ignore)) {
        foreach ($folder in $env:MSONLINEBACKUP_STATE, $TestDrive, (Get-Variable work -ValueOnly -ErrorAction Ignore)) {
            if ($folder -and (Test-Path -LiteralPath $folder)) { $null = chattr -R -f -i -a $folder 2>&1 }
        }
    }

    Remove-Item -LiteralPath $env:MSONLINEBACKUP_STATE -Recurse -Force
    $env:MSONLINEBACKUP_STATE = $null
}

# The error record that a script block ends with; a failure where it ends without.
function Get-ErrorOf([scriptblock] $Script) {
    try {
        $null = & $Script
    }
    catch {
        return $_
    }

    throw "No error came from { $Script }."
}

# What an error of the module must be: an id that stays, a category, and what to do.
function Assert-BackupError($Record, [string] $Id, [string] $Category, [string] $MessageLike = '*') {
    $Record.FullyQualifiedErrorId | Should -BeLike "$Id,MSOnlineBackup.Cmdlets.*"
    $Record.CategoryInfo.Category | Should -Be $Category
    $Record.ErrorDetails.Message | Should -BeLike $MessageLike
    $Record.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
}

# What is offered for the last word of a line.
function Get-Completion([string] $Line) {
    [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
}

# This PowerShell's own program. As a .NET tool it runs in a process of 'dotnet', so that the process does not tell.
$shell = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')

# A folder that is there, and not below $HOME.
$elsewhere = $IsWindows ? $env:SystemRoot : '/usr'

# Runs obengine as the module does, in a PowerShell of its own.
function Invoke-Obengine {
    & $shell -NoProfile -NonInteractive -File (Join-Path (Split-Path $manifest) module/obengine.ps1) @args
}

# Runs a script in a fresh PowerShell and returns what it writes.
function Invoke-FreshPowerShell([string] $Script) {
    & $shell -NoProfile -NonInteractive -Command $Script
}

# A machine that is registered with a vault of its own and has a passphrase; returns the vault's folder.
function Initialize-TestMachine([string] $Folder) {
    $credential = New-OBVault -Path "$Folder/vault" | Export-OBVaultCredential -Path $Folder
    Start-OBRegistration -VaultCredentials $credential.FullName 6> $null | Out-Null
    Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force) 6> $null | Out-Null
    "$Folder/vault"
}

# Two scripts that do nothing, and the file that names them, in a folder; returns the file.
function New-TestScript([string] $Folder) {
    $extension = $IsWindows ? 'cmd' : 'sh'
    $scripts = foreach ($name in 'pre', 'post') { (New-Item -Path "$Folder/$name.$extension" -Value ($IsWindows ? '' : "#!/bin/sh`n") -Force).FullName }
    $settings = @{ pluginName = 'ScriptRunner'; preScriptLocation = $scripts[0]; postScriptLocation = $scripts[1] } | ConvertTo-Json
    $file = (New-Item -Path "$Folder/settings.json" -Value $settings -Force).FullName
    if (-not $IsWindows) {
        chmod 700 $scripts
        chmod 600 $file
    }

    $file
}
