BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    $data = (New-Item -ItemType Directory -Path "$TestDrive/data").FullName
    function New-TestPolicy {
        New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $data) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
    }
}
AfterAll { Remove-TestState }

Describe 'Set-OBPolicyState' {
    BeforeEach { $null = New-TestPolicy | Set-OBPolicy }

    It 'pauses a saved policy, and lets it run again' {
        $policy = Get-OBPolicy | Set-OBPolicyState -State Paused
        $policy.PolicyState | Should -Be Paused
        (Get-OBPolicy | Get-OBPolicyState).State | Should -Be Paused
        $null = Get-OBPolicy | Set-OBPolicyState -State Valid
        (Get-OBPolicy | Get-OBPolicyState).State | Should -Be Valid
    }

    It 'leaves other changes of the draft unsaved' {
        $policy = Get-OBPolicy
        $policy.RetentionPolicy.RetentionDays = 99
        $null = $policy | Set-OBPolicyState -State Paused
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 30
    }

    It 'goes on to Set-OBPolicy, as the original documents it' {
        (Get-OBPolicy | Set-OBPolicyState -State Paused | Set-OBPolicy).PolicyState | Should -Be Paused
        (Get-OBPolicy).PolicyState | Should -Be Paused
    }

    It 'is part of a draft until that is saved' {
        $draft = New-TestPolicy | Set-OBPolicyState -State Paused
        (Get-OBPolicy).PolicyState | Should -Be Valid
        ($draft | Set-OBPolicy).PolicyState | Should -Be Paused
    }

    It 'takes the state from the pipeline' { ([MSOnlineBackup.OMPolicyStates]::Paused | Set-OBPolicyState -Policy (Get-OBPolicy)).PolicyState | Should -Be Paused }

    It 'changes nothing with -WhatIf' {
        (Get-OBPolicy | Set-OBPolicyState -State Paused -WhatIf).PolicyState | Should -Be Valid
        (Get-OBPolicy).PolicyState | Should -Be Valid
    }
}
