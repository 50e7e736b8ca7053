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
        $null = New-OBFileSpec $PSHOME | Add-OBFileSpec -Policy $policy
        $policy.DsList.DataSourceName | Should -Be $HOME, $PSHOME
    }

    It 'returns the draft once, however many specifications come' {
        @(New-OBFileSpec $HOME, $PSHOME | Add-OBFileSpec -Policy $policy).Count | Should -Be 1
    }

    It 'returns each of several drafts' {
        $others = $policy, (New-OBPolicy) | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        $others.Count | Should -Be 2
        $others[1].DsList.DataSourceName | Should -Be $HOME
    }

    It 'puts an exclusion with the sources that it concerns' {
        $null = New-OBFileSpec $HOME, $PSHOME | Add-OBFileSpec $policy
        $null = New-OBFileSpec "$PSHOME/Modules", '*.tmp' -Exclude | Add-OBFileSpec $policy
        $policy.DsList[0].FileSpecs.FileSpec | Should -Be $HOME, '*.tmp'
        $policy.DsList[1].FileSpecs.FileSpec | Should -Be $PSHOME, "$PSHOME/Modules", '*.tmp'
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
