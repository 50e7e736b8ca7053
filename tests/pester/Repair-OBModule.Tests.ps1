BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/ModuleFolder.ps1"
    $module = New-TestModule "$TestDrive/module"
    $package = New-TestPackage $module "$TestDrive/package.nupkg"
}

AfterAll { Remove-TestState }

Describe 'Repair-OBModule' {
    It 'brings back what is damaged, and nothing else' {
        Set-Content "$module/module/bin/One.dll" o
        Remove-Item "$module/module/bin/Two.dll"
        $found = Repair-OBModule $package $module
        "$found" | Should -Be 'module/bin/One.dll: Sound module/bin/Two.dll: Sound'
        Get-Content "$module/module/bin/One.dll" | Should -Be one
        Test-OBModule $module | Should -BeNullOrEmpty
        Repair-OBModule $package $module | Should -BeNullOrEmpty
    }

    It 'refuses a package that was tampered with' {
        $other = New-TestPackage $module "$TestDrive/other.nupkg"
        Add-Content $other x
        Assert-BackupError (Get-ErrorOf { Repair-OBModule $other $module }) PackageInvalid InvalidData '*damaged on its way, or changed*'
    }

    It 'refuses a package of another version' {
        $other = New-TestPackage (New-TestModule "$TestDrive/newer" 1.2.4) "$TestDrive/newer.nupkg"
        Assert-BackupError (Get-ErrorOf { Repair-OBModule $other $module }) PackageInvalid InvalidData '*of version 1.2.4*'
    }
}
