BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-DPMCloudConnection' {
    It 'is false of a machine that is not registered, and says so where it is asked to' {
        Get-DPMCloudConnection | Should -BeFalse
        Get-DPMCloudConnection -Verbose 4>&1 | Out-String | Should -BeLike '*not registered*'
    }

    It 'is true while the vault can be read, and false when it cannot' {
        $vault = Initialize-TestMachine $TestDrive
        Get-DPMCloudConnection | Should -BeOfType bool
        Get-DPMCloudConnection | Should -BeTrue

        Rename-Item $vault "$vault-away"
        Get-DPMCloudConnection | Should -BeFalse
    }
}
