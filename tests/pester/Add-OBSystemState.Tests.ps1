BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Add-OBSystemState' {
    It 'makes the draft one for the system state, and returns it' {
        $policy = New-OBPolicy
        $returned = $policy | Add-OBSystemState
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.DsList.DataSourceName | Should -Be 'System State'
    }

    It 'changes nothing with -WhatIf' { (New-OBPolicy | Add-OBSystemState -WhatIf).DsList | Should -BeNullOrEmpty }

    It 'refuses a draft with folders and files' {
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $HOME)
        Assert-BackupError (Get-ErrorOf { $policy | Add-OBSystemState }) PolicyInvalid InvalidArgument '*needs a separate policy*'
    }
}
