BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBAlarmSink' {
    It 'returns nothing where nobody has said where alarms go' { Get-OBAlarmSink | Should -BeNullOrEmpty }

    It 'lists all, or those that a pattern names' {
        $null = Set-OBAlarmSink log -SystemLog
        $null = Set-OBAlarmSink pager -Command (Join-Path $TestDrive page)
        (Get-OBAlarmSink).Name | Should -Be log, pager
        (Get-OBAlarmSink P*).Name | Should -Be pager
        Get-OBAlarmSink nobody | Should -BeNullOrEmpty
        Get-OBAlarmSink | Out-String -Width 160 | Should -Match 'pager\s+Command\s+False\s+False\s+\S+page'
    }

    It 'says what is damaged' {
        Set-Content "$env:MSONLINEBACKUP_STATE/alarms.json" '{'
        Assert-BackupError (Get-ErrorOf { Get-OBAlarmSink }) StateInvalid InvalidData '*alarms.json*'
    }
}
