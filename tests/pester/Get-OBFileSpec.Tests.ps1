BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBFileSpec' {
    It 'lists in the order in which they were added' {
        $policy = New-OBPolicy
        $null = New-OBFileSpec $HOME, $elsewhere | Add-OBFileSpec $policy
        ($policy | Get-OBFileSpec).FileSpec | Should -Be $HOME, $elsewhere
        (Get-OBFileSpec -Policy $policy)[0] | Should -BeOfType MSOnlineBackup.OBFileSpec
    }

    It 'lists nothing of an empty draft' { New-OBPolicy | Get-OBFileSpec | Should -BeNullOrEmpty }
}
