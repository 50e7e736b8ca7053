BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBPolicyState' {
    It 'says that a new policy runs' {
        $state = New-OBPolicy | Get-OBPolicyState
        $state | Should -BeOfType MSOnlineBackup.OBPolicyState
        "$state" | Should -Be Valid
    }
}
