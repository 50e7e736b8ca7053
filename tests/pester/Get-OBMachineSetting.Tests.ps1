BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBMachineSetting' {
    It 'shows a machine on which nothing is set' {
        $setting = Get-OBMachineSetting
        $setting | Should -BeOfType MSOnlineBackup.OBMachineSetting
        $setting.EncryptionSetting.EncryptionKeyStatus | Should -Be NotSet
        $setting.ThrottleSetting.Enabled | Should -BeFalse
        $setting.ProxySetting.Enabled | Should -BeFalse
    }

    It 'shows that there is a passphrase, and not which' {
        $null = Initialize-TestMachine $TestDrive
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Set
        Get-OBMachineSetting | ConvertTo-Json -Depth 5 | Should -Not -Match 'passphrase for tests'
    }
}
