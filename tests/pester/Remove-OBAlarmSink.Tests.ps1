BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Remove-OBAlarmSink' {
    BeforeAll { foreach ($name in 'one', 'two', 'three') { $null = Set-OBAlarmSink $name -SystemLog } }

    It 'completes names' { (Get-Completion 'Remove-OBAlarmSink -Name ').CompletionText | Sort-Object | Should -Be one, three, two }

    It 'forgets one, and refuses a name that there is not' {
        Remove-OBAlarmSink TWO
        (Get-OBAlarmSink).Name | Should -Be one, three
        Assert-BackupError (Get-ErrorOf { Remove-OBAlarmSink two }) ArgumentInvalid InvalidArgument "*'two'*"
    }

    It 'forgets all that come by the pipeline' {
        Get-OBAlarmSink | Remove-OBAlarmSink
        Get-OBAlarmSink | Should -BeNullOrEmpty
    }
}
