BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/ModuleFolder.ps1"
}

AfterAll { Remove-TestState }

Describe 'Test-OBModule' {
    It 'names the file that was truncated, and nothing where all is sound' {
        $module = New-TestModule "$TestDrive/module"
        Test-OBModule $module | Should -BeNullOrEmpty
        Test-OBModule $module -All | Should -HaveCount 3
        Set-Content "$module/module/bin/One.dll" o
        Set-Content "$module/module/bin/Three.dll" three
        $found = Test-OBModule $module
        "$found" | Should -Be 'module/bin/One.dll: Changed module/bin/Three.dll: Foreign'
        $found | Out-String | Should -Match 'Changed\s+module/bin/One\.dll'
    }

    It 'is what sha256sum says' -Skip:(-not (Get-Command sha256sum -ErrorAction Ignore)) {
        $module = New-TestModule "$TestDrive/other"
        Push-Location $module
        try {
            $null = sha256sum -c --quiet MSOnlineBackup.sha256
            $LASTEXITCODE | Should -Be 0
            Set-Content module/bin/One.dll o
            $null = sha256sum -c --quiet MSOnlineBackup.sha256 2>&1
            $LASTEXITCODE | Should -Be 1
        }
        finally { Pop-Location }
    }

    It 'does not call sound what it cannot compare' {
        Assert-BackupError (Get-ErrorOf { Test-OBModule $TestDrive }) ArgumentInvalid InvalidArgument '*no list of hashes*'
    }

    It 'finds every file of this package sound' -Skip:(-not ($env:MSONLINEBACKUP_TESTED_MANIFEST -and (Test-Path "$(Split-Path $env:MSONLINEBACKUP_TESTED_MANIFEST)/MSOnlineBackup.sha256"))) {
        Test-OBModule | Should -BeNullOrEmpty
        (Test-OBModule -All).Count | Should -BeGreaterThan 50
    }
}
