BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $null = Invoke-TestBackup
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Export-OBDiagnostic' {
    It 'writes one file with all that helps, and no secret' {
        Set-OBMachineSetting -ProxyServer proxy.example.com -ProxyPort 8080 -ProxyUsername who -ProxyPassword (ConvertTo-SecureString 'planted-proxy-password' -AsPlainText -Force) 6> $null | Out-Null
        $env:OB_TEST_SECRET = 'planted-in-the-environment'
        $file = Export-OBDiagnostic $work
        $env:OB_TEST_SECRET = $null
        $file.Name | Should -BeLike 'MSOnlineBackup-diagnostic-*.zip'
        Expand-Archive $file.FullName "$work/report"
        (Get-ChildItem "$work/report").Name | Should -Contain health.json
        Get-Content "$work/report/settings.json" -Raw | Should -BeLike '*proxy.example.com*'
        @(Get-Content "$work/report/jobs.json" -Raw | ConvertFrom-Json) | Should -HaveCount 1
        $log = Get-Item "$work/report/jobs/*.jsonl"
        $log.BaseName | Should -Be (Get-OBJob -Previous 1).JobId
        (Get-Content $log | ConvertFrom-Json)[0].event | Should -Be Started
        $all = (Get-ChildItem "$work/report" -Recurse -File | Get-Content -Raw) -join "`n"
        foreach ($secret in 'planted-proxy-password', 'planted-in-the-environment', 'a passphrase for tests') { $all | Should -Not -BeLike "*$secret*" }
        [System.Text.Encoding]::Latin1.GetString([System.IO.File]::ReadAllBytes($file.FullName)) | Should -Not -BeLike '*planted*'
    }

    It 'is done by obengine, too' {
        $told = Invoke-Obengine diagnostic export $work --json | ConvertFrom-Json
        $LASTEXITCODE | Should -Be 0
        $told.file | Should -BeLike "$work*MSOnlineBackup-diagnostic-*.zip"
        $told.file | Should -Exist
        Invoke-Obengine diagnostic export $told.file 2>&1 | Out-String | Should -BeLike '*ArgumentInvalid*'
        $LASTEXITCODE | Should -Be 2
    }

    It 'overwrites nothing' {
        $null = Export-OBDiagnostic "$work/mine.zip"
        Assert-BackupError (Get-ErrorOf { Export-OBDiagnostic "$work/mine.zip" }) ArgumentInvalid InvalidArgument
    }
}
