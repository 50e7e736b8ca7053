<#
.SYNOPSIS
    Runs the Pester tests against a module that is built or unpacked; ends with 1 where one fails. build.ps1 -Task Test calls it in a session of its own.
#>
param(
    # The manifest of the module.
    [string] $Manifest = "$PSScriptRoot/../../MSOnlineBackup.psd1",

    # Which test files; all if it is not given.
    [string[]] $Path = $PSScriptRoot
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.5
$env:MSONLINEBACKUP_TESTED_MANIFEST = (Resolve-Path $Manifest).Path
$result = Invoke-Pester -Configuration @{
    Run    = @{ Path = $Path; PassThru = $true }
    Output = @{ Verbosity = 'Normal' }
}
"Pester: $($result.PassedCount) passed, $($result.FailedCount) failed, $($result.SkippedCount) skipped"
exit [int]($result.Result -ne 'Passed')
