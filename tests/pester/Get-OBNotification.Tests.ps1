BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBNotification' {
    It 'names the step that is missing' {
        (Get-OBNotification).ErrorId | Should -Be MachineNotRegistered
        $null = Initialize-TestMachine $TestDrive
        (Get-OBNotification).ErrorId | Should -Be PolicyNotFound
    }
}
