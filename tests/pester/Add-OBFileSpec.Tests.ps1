BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Add-OBFileSpec' {
    BeforeEach { $policy = New-OBPolicy }

    It 'changes the draft and returns it' {
        $returned = Add-OBFileSpec -Policy $policy -FileSpec (New-OBFileSpec $HOME)
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.DsList.DataSourceName | Should -Be $HOME
    }

    It 'takes the policy, or the specifications, from the pipeline' {
        $null = $policy | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        $null = New-OBFileSpec $elsewhere | Add-OBFileSpec -Policy $policy
        $policy.DsList.DataSourceName | Should -Be $HOME, $elsewhere
    }

    It 'returns the draft once, however many specifications come' {
        @(New-OBFileSpec $HOME, $elsewhere | Add-OBFileSpec -Policy $policy).Count | Should -Be 1
    }

    It 'returns each of several drafts' {
        $others = $policy, (New-OBPolicy) | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        $others.Count | Should -Be 2
        $others[1].DsList.DataSourceName | Should -Be $HOME
    }

    It 'puts an exclusion with the sources that it concerns' {
        $null = New-OBFileSpec $HOME, $elsewhere | Add-OBFileSpec $policy
        $null = New-OBFileSpec "$elsewhere/lib", '*.tmp' -Exclude | Add-OBFileSpec $policy
        $policy.DsList[0].FileSpecs.FileSpec | Should -Be $HOME, '*.tmp'
        $policy.DsList[1].FileSpecs.FileSpec | Should -Be $elsewhere, "$elsewhere/lib", '*.tmp'
    }

    It 'replaces what is added again' {
        $null = New-OBFileSpec $HOME | Add-OBFileSpec $policy
        $null = New-OBFileSpec $HOME -NonRecursive | Add-OBFileSpec $policy
        (Get-OBFileSpec $policy).IsRecursive | Should -Be $false
    }

    It 'changes nothing with -WhatIf, and still returns the draft' {
        $returned = Add-OBFileSpec -Policy $policy -FileSpec (New-OBFileSpec $HOME) -WhatIf
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.DsList | Should -BeNullOrEmpty
    }

    It 'refuses a draft for the system state' {
        $null = Add-OBSystemState -Policy $policy
        Assert-BackupError (Get-ErrorOf { New-OBFileSpec $HOME | Add-OBFileSpec $policy }) PolicyInvalid InvalidArgument
    }

    It 'takes an empty pipeline for nothing to do' {
        @() | Add-OBFileSpec -Policy $policy | Should -BeNullOrEmpty
    }
}
