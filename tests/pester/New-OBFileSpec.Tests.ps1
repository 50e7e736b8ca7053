BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBFileSpec' {
    It 'makes one specification for each path, by position and by pipeline' {
        (New-OBFileSpec $HOME, $elsewhere).FileSpec | Should -Be $HOME, $elsewhere
        ($HOME, $elsewhere | New-OBFileSpec).FileSpec | Should -Be $HOME, $elsewhere
    }

    It 'takes all of a folder, with what is below' {
        $spec = New-OBFileSpec -FileSpec $elsewhere
        $spec.FileName | Should -Be '*'
        $spec.IsRecursive | Should -BeTrue
        $spec.IsExclude | Should -BeFalse
    }

    It 'takes a file by its name' {
        $file = New-Item -ItemType File -Path "$TestDrive/report.txt" -Force
        $spec = New-OBFileSpec -FileSpec $file.FullName
        $spec.FileName | Should -Be 'report.txt'
        $spec.FileSpec | Should -Be $file.FullName
    }

    It 'makes relative paths absolute, and cuts the last separator' {
        Push-Location $TestDrive
        try {
            $null = New-Item -ItemType Directory -Path data -Force
            $here = (Get-Location).ProviderPath
            (New-OBFileSpec -FileSpec ./data/).FileSpec | Should -Be (Join-Path $here data)
            (New-OBFileSpec -FileSpec ./data -Exclude).FileSpec | Should -Be (Join-Path $here data)
        }
        finally {
            Pop-Location
        }
    }

    It 'leaves a pattern for names as it is' {
        $spec = New-OBFileSpec -FileSpec '*.tmp', '.git/' -Exclude -NonRecursive
        $spec.FileSpec | Should -Be '*.tmp', '.git/'
        $spec.IsExclude | Should -Be $true, $true
        $spec.IsRecursive | Should -Be $false, $false
    }

    It 'refuses a pattern of what is to be taken' {
        $err = Get-ErrorOf { New-OBFileSpec -FileSpec "$TestDrive/*.txt" }
        Assert-BackupError $err ArgumentInvalid InvalidArgument "*is a pattern*"
        $err.TargetObject | Should -Be "$TestDrive/*.txt"
    }

    It 'takes a name that looks like a pattern if it is there' {
        $file = New-Item -ItemType File -Path "$TestDrive/a`[1`].txt" -Force
        (New-OBFileSpec -FileSpec "$TestDrive/a[1].txt").FileSpec | Should -BeLike '*a`[1`].txt'
    }

    It 'refuses a path of another provider' {
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec -FileSpec Env:/PATH }) ArgumentInvalid InvalidArgument "*provider 'Environment'*"
    }

    It 'refuses null and nothing' {
        { New-OBFileSpec -FileSpec $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        { New-OBFileSpec -FileSpec '' } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
        @() | New-OBFileSpec | Should -BeNullOrEmpty
    }

    It 'says that <Spec> is a path of Windows' -Skip:$IsWindows -TestCases @(@{ Spec = 'C:\Data' }, @{ Spec = 'D:' }, @{ Spec = '\\server\share' }) {
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec -FileSpec $Spec }) ArgumentInvalid InvalidArgument '*Windows path*'
    }

    It 'does not take <Spec>, which is to be left out, for a pattern of names' -Skip:$IsWindows -TestCases @(
        @{ Spec = 'C:\Temp' }, @{ Spec = 'c:/Temp' }, @{ Spec = 'D:' }, @{ Spec = 'D:*' }, @{ Spec = '\\srv\x' }
    ) {
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec -FileSpec $Spec -Exclude }) ArgumentInvalid InvalidArgument '*Windows path*'
    }

    It 'says that the drive of <Spec> is not there' -Skip:$IsWindows -TestCases @(@{ Spec = 'HKLM:\Software' }, @{ Spec = 'HKLM:/Software' }) {
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec -FileSpec $Spec }) ArgumentInvalid InvalidArgument "*the drive 'HKLM', which does not exist*"
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec -FileSpec $Spec -Exclude }) ArgumentInvalid InvalidArgument "*the drive 'HKLM', which does not exist*"
    }

    It 'leaves out names that have a colon' { (New-OBFileSpec -FileSpec 'a:b', '*:*' -Exclude).FileSpec | Should -Be 'a:b', '*:*' }
}
