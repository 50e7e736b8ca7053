BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $key = "$env:MSONLINEBACKUP_STATE/scratch/OnlineBackup.KEK"

    # A machine of another state, for its key file.
    $own = $env:MSONLINEBACKUP_STATE
    $env:MSONLINEBACKUP_STATE = "$TestDrive/other-state"
    $null = Initialize-TestMachine "$TestDrive/other"
    $env:MSONLINEBACKUP_STATE = $own
    $otherKey = "$TestDrive/other-state/scratch/OnlineBackup.KEK"
}

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

    It 'tells that the key file <What>, as Get-OBNotification does, and that it serves again when it is back' -TestCases @(
        @{ What = 'is missing'; Spoil = { Remove-Item $key }; Id = 'KeyFileInvalid' }
        @{ What = 'has a byte changed'; Spoil = { $bytes = [byte[]]$whole.Clone(); $bytes[-1] = $bytes[-1] -bxor 1; [System.IO.File]::WriteAllBytes($key, $bytes) }; Id = 'KeyFileInvalid' }
        @{ What = 'is cut short'; Spoil = { [System.IO.File]::WriteAllBytes($key, $whole[0..40]) }; Id = 'KeyFileInvalid' }
        @{ What = 'is another machine''s'; Spoil = { Copy-Item $otherKey $key }; Id = 'KeyFileInvalid' }
        @{ What = 'went with its folder'; Spoil = { Remove-Item (Split-Path $key) -Recurse }; Id = 'ActivationDamaged' }
    ) {
        $whole = [System.IO.File]::ReadAllBytes($key)
        . $Spoil
        $status = (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus
        $notice = Get-OBNotification | Where-Object ErrorId -EQ $Id
        $null = New-Item -ItemType Directory (Split-Path $key) -Force
        [System.IO.File]::WriteAllBytes($key, $whole)

        $status | Should -Be Invalid
        $notice.Severity | Should -Be Error
        $notice.RecommendedAction | Should -BeLike '*Repair-OBKey*'
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Set
    }
}
