#!/usr/bin/env pwsh
#Requires -Version 7.6
<#
.SYNOPSIS
    Builds, tests and packs the module.
.DESCRIPTION
    Build    makes this checkout importable: Import-Module ./MSOnlineBackup.psd1. (So does a plain 'dotnet build'.)
    Test     runs the tests of the assemblies, then those of the cmdlets, in a PowerShell of their own.
    Package  makes output/MSOnlineBackup.<version>.nupkg, for all platforms, and output/MSOnlineBackup, the folder that it is installed as.
    Clean    removes what the others made.
.EXAMPLE
    ./build.ps1
.EXAMPLE
    ./build.ps1 -Task Package, Test -ModulePath output/MSOnlineBackup

    Packs the module, and tests what was packed.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package', 'Clean')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # The folder of the module that is tested; this checkout if it is not given.
    [string] $ModulePath = $PSScriptRoot
)

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
$output = Join-Path $PSScriptRoot 'output'

function Build {
    foreach ($project in Get-ChildItem "$PSScriptRoot/src/*/*.csproj") {
        dotnet build $project --configuration $Configuration --nologo --verbosity quiet
    }

    Assert-Platform "$PSScriptRoot/module/bin" ([System.Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier)
    "Built. Next: Import-Module $(Join-Path $PSScriptRoot MSOnlineBackup.psd1)"
}

function Test {
    $manifest = (Resolve-Path (Join-Path $ModulePath MSOnlineBackup.psd1)).Path
    if ($ModulePath -eq $PSScriptRoot) {
        dotnet test "$PSScriptRoot/MSOnlineBackup.sln" --configuration $Configuration --nologo
    }

    # A session of its own: assemblies cannot be unloaded, and profiles bring modules.
    & (Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')) -NoProfile -File "$PSScriptRoot/tests/pester/Invoke-Tests.ps1" -Manifest $manifest
}

function Package {
    $folder = Join-Path $output MSOnlineBackup
    foreach ($made in $folder, "$PSScriptRoot/module/bin") {
        if (Test-Path $made) {
            Remove-Item $made -Recurse -Force
        }
    }

    # The help is made by the build, and a package without is none.
    Build | Out-Host
    if (-not (Test-Path "$PSScriptRoot/en-US")) {
        throw 'The build has made no help in en-US.'
    }

    # The same layout as here.
    $null = New-Item -ItemType Directory $folder
    Copy-Item "$PSScriptRoot/module" $folder -Recurse
    Copy-Item "$PSScriptRoot/en-US" $folder -Recurse
    Copy-Item "$PSScriptRoot/MSOnlineBackup.psd1", "$PSScriptRoot/LICENSE", "$PSScriptRoot/README.md", "$PSScriptRoot/CHANGELOG.md" $folder
    Get-ChildItem $folder -Recurse -Filter *.pdb | Remove-Item
    Assert-Platform "$folder/module/bin" -Runtime $null

    # What most cmdlets go through is compiled ahead, but for Windows on Arm, whose runtime not every registry has. The rest does as it is:
    # the package stays small.
    foreach ($platform in 'linux-x64', 'linux-arm64', 'win-x64', 'osx-x64', 'osx-arm64') {
        $published = Join-Path $output "published/$platform"
        dotnet publish "$PSScriptRoot/src/MSOnlineBackup" --configuration $Configuration --runtime $platform --no-self-contained -p:PublishReadyToRun=true --output $published --nologo --verbosity quiet
        $compiled = New-Item -ItemType Directory "$folder/module/bin/runtimes/$platform/lib" -Force
        Copy-Item ('MSOnlineBackup', 'MSOnlineBackup.Agent', 'MSOnlineBackup.Vaults', 'MSOnlineBackup.Platform' | ForEach-Object { "$published/$_.dll" }) $compiled
        Assert-Platform $compiled $platform
    }

    Remove-Item (Join-Path $output published) -Recurse -Force
    if (Test-Path "$folder/module/bin/System.Management.Automation.dll") {
        throw 'System.Management.Automation must not be shipped: the session''s own is used.'
    }

    # So that damage is found where nothing of ours runs, too: sha256sum -c. The package's own hash is written beside it.
    Write-Hash (Get-ChildItem $folder -Recurse -File) $folder (Join-Path $folder MSOnlineBackup.sha256)
    Get-Item "$output/*.nupkg*" | Remove-Item
    Compress-PSResource -Path $folder -DestinationPath $output
    $size = (Get-ChildItem $folder -Recurse -File | Measure-Object Length -Sum).Sum
    if ($size -gt 50MB) {
        throw "The package takes $size bytes where it is installed; more than 50 MB is too much."
    }

    $package = Get-Item "$output/*.nupkg"
    Write-Hash $package $output "$($package.FullName).sha256"
    'Packed: {0} ({1:0.0} MB), which takes {2:0.0} MB where it is installed.' -f $package, ($package.Length / 1MB), ($size / 1MB)
}

# In the format of sha256sum, which has no carriage returns.
function Write-Hash($File, [string] $Folder, [string] $Target) {
    $lines = $File | Sort-Object FullName | ForEach-Object {
        '{0}  {1}' -f (Get-FileHash -LiteralPath $_.FullName -Algorithm SHA256).Hash.ToLowerInvariant(), [System.IO.Path]::GetRelativePath($Folder, $_.FullName).Replace('\', '/')
    }
    [System.IO.File]::WriteAllText($Target, (@($lines) -join "`n") + "`n")
}

# An assembly that was compiled ahead for one platform does not load on another. What was not, runs everywhere.
function Assert-Platform([string] $Folder, [string] $Runtime) {
    $system, $architecture = $Runtime -split '-', 2
    $machine = $Runtime ? (@{ x64 = 0x8664; arm64 = 0xAA64 }[$architecture] -bxor @{ win = 0; linux = 0x7B79; osx = 0x4644 }[$system]) : 0
    foreach ($file in Get-ChildItem $Folder -Recurse -Filter *.dll) {
        $reader = [System.Reflection.PortableExecutable.PEReader]::new([System.IO.File]::OpenRead($file))
        try {
            $headers = $reader.PEHeaders
            if ($headers.CorHeader -and $headers.CorHeader.ManagedNativeHeaderDirectory.Size -gt 0 -and [int] $headers.CoffHeader.Machine -ne $machine) {
                throw "'$file' is compiled for another platform than $($Runtime ? $Runtime : 'all') (machine 0x$('{0:X4}' -f [int] $headers.CoffHeader.Machine))."
            }
        }
        finally {
            $reader.Dispose()
        }
    }
}

function Clean {
    $byProject = Get-Item "$PSScriptRoot/*/*/*.csproj" | ForEach-Object { Join-Path $_.DirectoryName bin; Join-Path $_.DirectoryName obj }
    foreach ($made in @($output, "$PSScriptRoot/module/bin", "$PSScriptRoot/en-US") + $byProject) {
        if (Test-Path $made) {
            # By force: builds leave hidden files.
            Remove-Item $made -Recurse -Force
        }
    }
}

$Task | ForEach-Object { & $_ }
