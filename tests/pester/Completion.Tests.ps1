BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Completion' {
    It 'knows the ids of errors' { (Get-Completion 'Get-OBErrorHelp -Id VaultF').CompletionText | Should -Be VaultFormatUnsupported, VaultFull }

    It 'knows the words of <Line>' -TestCases @(
        @{ Line = 'Set-OBPolicyState -State '; Words = 'Paused', 'Valid' }
        @{ Line = 'New-OBRecoveryOption -OverwriteType '; Words = 'CreateCopy', 'Overwrite', 'Skip' }
        @{ Line = 'Set-OBAlarmSink a -Format '; Words = 'Json', 'Slack', 'Teams' }
        @{ Line = 'Set-OBAlarmSink a -Security '; Words = 'None', 'StartTls', 'Tls' }
        @{ Line = 'New-OBSchedule -DaysOfWeek S'; Words = 'Saturday', 'Sunday' }
        @{ Line = 'New-OBRetentionPolicy -YearMonthsOfYear Ma'; Words = 'March', 'May' }
        @{ Line = 'New-OBRetentionPolicy -MonthWeeksOfMonth F'; Words = 'First', 'Fourth' }
    ) {
        (Get-Completion $Line).CompletionText | Sort-Object | Should -Be $Words
    }

    It 'offers nothing, and no error, where there is no policy' { Get-Completion 'Rename-OBVolume -OldVolumeName ' | Where-Object ResultType -EQ ParameterValue | Should -BeNullOrEmpty }
}
