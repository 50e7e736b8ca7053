#!/usr/bin/env pwsh
#Requires -Version 7.6
<#
.SYNOPSIS
    Builds, tests and packs the module.
.DESCRIPTION
    Build    makes this checkout importable: Import-Module ./MSOnlineBackup.psd1. (So does a plain 'dotnet build'.)
    Test     runs the tests of the assemblies, then those of the cmdlets, in a PowerShell of their own.
    Package  makes output/MSOnlineBackup (the folder to be installed) and output/MSOnlineBackup.<version>.<runtime>.nupkg, compiled ahead of time.
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

    # For which platform the package is.
    [string] $Runtime = [System.Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier,

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
    $version = (Import-PowerShellDataFile "$PSScriptRoot/MSOnlineBackup.psd1").ModuleVersion
    $folder = Join-Path $output MSOnlineBackup
    if (Test-Path $folder) {
        Remove-Item $folder -Recurse -Force
    }

    # The help is made by the build, and a package without is none.
    $null = Build
    if (-not (Test-Path "$PSScriptRoot/en-US")) {
        throw 'The build has made no help in en-US.'
    }

    # The same layout as here. Its background program brings its own runtime: a machine with PowerShell need not have .NET.
    $publish = '--configuration', 'Release', '--runtime', $Runtime, '--nologo', '--verbosity', 'quiet'
    foreach ($project in 'MSOnlineBackup.Loader', 'MSOnlineBackup') {
        dotnet publish "$PSScriptRoot/src/$project" @publish --no-self-contained -p:PublishReadyToRun=true --output "$folder/module/bin"
    }

    dotnet publish "$PSScriptRoot/src/MSOnlineBackup.Host" @publish --output "$folder/module/bin/host"
    if (Test-Path "$folder/module/bin/System.Management.Automation.dll") {
        throw 'System.Management.Automation must not be shipped: the session''s own is used.'
    }

    Get-ChildItem $folder -Recurse -Include '*.pdb', '*.xml' | Remove-Item
    Copy-Item "$PSScriptRoot/module/*.ps*1*" "$folder/module"
    Copy-Item "$PSScriptRoot/MSOnlineBackup.psd1", "$PSScriptRoot/LICENSE", "$PSScriptRoot/README.md" $folder
    Copy-Item "$PSScriptRoot/en-US" $folder -Recurse

    Assert-Platform "$folder/module/bin" $Runtime
    $null = Test-ModuleManifest "$folder/MSOnlineBackup.psd1"
    Compress-Package $folder (Join-Path $output "MSOnlineBackup.$version.$Runtime.nupkg")
    "Packed: $folder"
}

# An assembly that was compiled ahead for one platform does not load on another. What was not, runs everywhere.
function Assert-Platform([string] $Folder, [string] $Runtime) {
    $system, $architecture = $Runtime -split '-', 2
    $machine = @{ x64 = 0x8664; arm64 = 0xAA64 }[$architecture] -bxor @{ win = 0; linux = 0x7B79; osx = 0x4644 }[$system]
    foreach ($file in Get-ChildItem $Folder -Recurse -Filter *.dll) {
        $reader = [System.Reflection.PortableExecutable.PEReader]::new([System.IO.File]::OpenRead($file))
        try {
            $headers = $reader.PEHeaders
            if ($headers.CorHeader -and $headers.CorHeader.ManagedNativeHeaderDirectory.Size -gt 0 -and [int] $headers.CoffHeader.Machine -ne $machine) {
                throw "'$file' is compiled for another platform than $Runtime (machine 0x$('{0:X4}' -f [int] $headers.CoffHeader.Machine))."
            }
        }
        finally {
            $reader.Dispose()
        }
    }
}

# A nupkg is a zip with a nuspec, and with the two files by which all Open Packaging Convention zips are known.
function Compress-Package([string] $Folder, [string] $Package) {
    $manifest = Import-PowerShellDataFile "$Folder/MSOnlineBackup.psd1"
    $escape = { [System.Security.SecurityElement]::Escape($args[0]) }
    $parts = [ordered] @{
        'MSOnlineBackup.nuspec' = @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
    <id>MSOnlineBackup</id>
    <version>$($manifest.ModuleVersion)</version>
    <authors>$(& $escape $manifest.Author)</authors>
    <description>$(& $escape $manifest.Description)</description>
    <license type="expression">MIT</license>
    <tags>PSModule $($manifest.PrivateData.PSData.Tags -join ' ')</tags>
  </metadata>
</package>
"@
        '_rels/.rels'           = @'
<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/MSOnlineBackup.nuspec" Id="manifest" />
</Relationships>
'@
        '[Content_Types].xml'   = @'
<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="nuspec" ContentType="application/octet" />
</Types>
'@
    }

    if (Test-Path $Package) {
        Remove-Item $Package
    }

    [System.IO.Compression.ZipFile]::CreateFromDirectory($Folder, $Package)
    $zip = [System.IO.Compression.ZipFile]::Open($Package, 'Update')
    try {
        foreach ($name in $parts.Keys) {
            $writer = [System.IO.StreamWriter]::new($zip.CreateEntry($name).Open())
            $writer.Write($parts[$name])
            $writer.Dispose()
        }
    }
    finally {
        $zip.Dispose()
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
