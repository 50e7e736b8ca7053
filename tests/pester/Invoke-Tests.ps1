<#
.SYNOPSIS
    Runs the Pester tests against a module that is built or unpacked; ends with 1 where one fails. build.ps1 -Task Test calls it in a session of its own.
#>
param(
    # The manifest of the module.
    [string] $Manifest = "$PSScriptRoot/../../MSOnlineBackup.psd1",

    # Which test files; all if it is not given.
    [string[]] $Path = $PSScriptRoot,

    # How many sessions share the test files: a session uses little more than one processor.
    [ValidateRange(1, 16)]
    [int] $Sessions = [Math]::Min(2, [Environment]::ProcessorCount)
)

$ErrorActionPreference = 'Stop'

# The files are dealt out in turn, and what the sessions say is shown as it comes.
$files = @(Get-ChildItem $Path -Recurse -File -Filter *.Tests.ps1)
if ($Sessions -gt 1 -and $files.Count -gt $Sessions) {
    $shell = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
    $shares = 0..($Sessions - 1) | ForEach-Object {
        $session = $_
        (0..($files.Count - 1) | Where-Object { $_ % $Sessions -eq $session } | ForEach-Object { "'$($files[$_].FullName)'" }) -join ','
    }
    $failed = $false
    $counts = 0, 0, 0
    $shares | ForEach-Object -ThrottleLimit $Sessions -Parallel {
        & $using:shell -NoProfile -Command "& '$using:PSCommandPath' -Manifest '$using:Manifest' -Path $_ -Sessions 1; exit `$LASTEXITCODE" 2>&1
        $LASTEXITCODE
    } | ForEach-Object {
        if ($_ -is [int]) {
            $failed = $failed -or $_ -ne 0
        }
        elseif ($_ -match '^Pester: (\d+) passed, (\d+) failed, (\d+) skipped$') {
            $counts = 0..2 | ForEach-Object { $counts[$_] + [int]$Matches[$_ + 1] }
        }
        else {
            "$_"
        }
    }
    "Pester: $($counts[0]) passed, $($counts[1]) failed, $($counts[2]) skipped"
    exit [int]($failed -or $counts[0] -eq 0)
}

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
