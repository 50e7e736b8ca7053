BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBRetentionPolicy' {
    It 'returns the retention of the policy itself' {
        $policy = New-OBPolicy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 10)
        ($policy | Get-OBRetentionPolicy).RetentionDays = 11
        $policy.RetentionPolicy.RetentionDays | Should -Be 11
    }

    It 'returns nothing where there is none' { New-OBPolicy | Get-OBRetentionPolicy | Should -BeNullOrEmpty }
}
