BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Set-OBRetentionPolicy' {
    It 'changes the draft and returns it' {
        $policy = New-OBPolicy
        $returned = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy 10)
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.RetentionPolicy.RetentionDays | Should -Be 10
    }

    It 'takes the policy, or the retention, from the pipeline' {
        (New-OBPolicy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 10)).RetentionPolicy.RetentionDays | Should -Be 10
        (New-OBRetentionPolicy 10 | Set-OBRetentionPolicy -Policy (New-OBPolicy)).RetentionPolicy.RetentionDays | Should -Be 10
    }

    It 'changes nothing with -WhatIf' {
        (New-OBPolicy | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 10) -WhatIf).RetentionPolicy | Should -BeNullOrEmpty
    }
}
