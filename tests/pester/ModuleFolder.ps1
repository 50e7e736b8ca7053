# A folder as a module is installed: a few files, and the list of their hashes.
function New-TestModule([string] $Folder, [string] $Version = '1.2.3') {
    $null = New-Item -ItemType Directory "$Folder/module/bin" -Force
    Set-Content "$Folder/MSOnlineBackup.psd1" "@{", "    ModuleVersion = '$Version'", "    GUID = '5f0a9d53-7c1e-4b0e-9a38-0e8d1f6b2c47'", '}'
    Set-Content "$Folder/module/bin/One.dll" one
    Set-Content "$Folder/module/bin/Two.dll" two
    $lines = Get-ChildItem $Folder -Recurse -File | ForEach-Object {
        '{0}  {1}' -f (Get-FileHash -LiteralPath $_.FullName).Hash.ToLowerInvariant(), [System.IO.Path]::GetRelativePath($Folder, $_.FullName).Replace('\', '/')
    }
    Set-Content "$Folder/MSOnlineBackup.sha256" $lines
    $Folder
}

# A package of such a folder, with its own hash beside it.
function New-TestPackage([string] $Folder, [string] $Package) {
    [System.IO.Compression.ZipFile]::CreateFromDirectory($Folder, $Package)
    Set-Content "$Package.sha256" ('{0}  {1}' -f (Get-FileHash -LiteralPath $Package).Hash.ToLowerInvariant(), (Split-Path $Package -Leaf))
    $Package
}
