BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Remove-OBFileSpec' {
    BeforeEach {
        $policy = New-OBPolicy
        $null = New-OBFileSpec $HOME, $elsewhere | Add-OBFileSpec $policy
        $null = New-OBFileSpec '*.tmp' -Exclude | Add-OBFileSpec $policy
    }

    It 'removes from the draft and returns it' {
        $returned = Remove-OBFileSpec -Policy $policy -FileSpec (Get-OBFileSpec $policy)[0]
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        (Get-OBFileSpec $policy).FileSpec | Should -Be $elsewhere, '*.tmp'
    }

    It 'knows a specification by what it says' {
        $null = New-OBFileSpec '*.tmp' -Exclude | Remove-OBFileSpec $policy
        (Get-OBFileSpec $policy).FileSpec | Should -Be $HOME, $elsewhere
    }

    It 'tells what is not there, and goes on with the others' {
        $specs = @(New-OBFileSpec '*.bak' -Exclude) + @(New-OBFileSpec $HOME)
        $null = Remove-OBFileSpec $policy $specs -ErrorAction SilentlyContinue -ErrorVariable errors
        $errors.Count | Should -Be 1
        Assert-BackupError $errors[0] ArgumentInvalid InvalidArgument "*does not leave out '*.bak'."
        (Get-OBFileSpec $policy).FileSpec | Should -Be $elsewhere, '*.tmp'
    }

    It 'changes nothing with -WhatIf' {
        $null = New-OBFileSpec $HOME | Remove-OBFileSpec $policy -WhatIf
        @(Get-OBFileSpec $policy).Count | Should -Be 3
    }
}
