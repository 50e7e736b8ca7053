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
$PSNativeCommandUseErrorActionPreference = $true

# The tests' project says which Pester, and its restore brings it.
$project = "$PSScriptRoot/../MSOnlineBackup.Module.Tests/MSOnlineBackup.Module.Tests.csproj"
dotnet restore $project --verbosity quiet
$packages = dotnet msbuild $project -getProperty:NuGetPackageRoot -getItem:PackageDownload | ConvertFrom-Json
$version = ($packages.Items.PackageDownload | Where-Object Identity -eq Pester).Version.Trim('[', ']')
Import-Module (Join-Path $packages.Properties.NuGetPackageRoot pester $version tools Pester.psd1)
$PSNativeCommandUseErrorActionPreference = $false
$env:MSONLINEBACKUP_TESTED_MANIFEST = (Resolve-Path $Manifest).Path
$env:MSONLINEBACKUP_SCHEDULER = 'None'
$env:MSONLINEBACKUP_SYSTEM_LOG = 'None'
$result = Invoke-Pester -Configuration @{
    Run    = @{ Path = $Path; PassThru = $true }
    Output = @{ Verbosity = 'Normal' }
}
"Pester: $($result.PassedCount) passed, $($result.FailedCount) failed, $($result.SkippedCount) skipped"
exit [int]($result.Result -ne 'Passed')
