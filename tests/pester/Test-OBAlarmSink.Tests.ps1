BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Test-OBAlarmSink' {
    It 'says that nobody has said where alarms go' { Assert-BackupError (Get-ErrorOf { Test-OBAlarmSink }) AlarmSettingsInvalid InvalidData }

    It 'says which place took a message, and which did not' {
        $null = Set-OBAlarmSink mail -MailServer 127.0.0.1 -Port 9 -Security None -From watch@example.com -To a@example.com
        $null = Set-OBAlarmSink page -Command (Get-Command whoami).Source
        $null = Set-OBAlarmSink none -Command (Join-Path $TestDrive page)
        $tests = Test-OBAlarmSink
        $tests.Name | Should -Be mail, page, none
        $tests.IsDelivered | Should -Be $false, $true, $false
        $tests[0].ErrorId | Should -Be AlarmNotDelivered
        $tests[0].Message | Should -BeLike "*'mail'*127.0.0.1*"
        $tests[2].Message | Should -BeLike '*cannot be run*'
        "$($tests[1])" | Should -Be 'page: delivered'
    }

    It 'tries one' {
        (Get-OBAlarmSink page | Test-OBAlarmSink).IsDelivered | Should -BeTrue
        Assert-BackupError (Get-ErrorOf { Test-OBAlarmSink nobody }) ArgumentInvalid InvalidArgument '*nobody*'
    }
}
