BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    function ConvertTo-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }
}
AfterAll { Remove-TestState }

Describe 'Set-OBMachineSetting' {
    It 'wants the machine registered first' {
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'long enough for all') }) MachineNotRegistered InvalidOperation
    }

    Context 'on a registered machine' {
        BeforeAll {
            $credential = New-OBVault "$TestDrive/vault" | Export-OBVaultCredential -Path $TestDrive
            $null = Start-OBRegistration -VaultCredentials $credential.FullName 6> $null
        }

        It 'refuses a passphrase <What>' -TestCases @(
            @{ What = 'of fifteen characters'; Text = 'fifteen letters' }
            @{ What = 'beyond ASCII'; Text = 'sixteen létters or more' }
        ) {
            Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret $Text) }) PassphraseInvalid InvalidArgument
            (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be NotSet
        }

        It 'refuses <Uri> for a Key Vault before anything is done' -TestCases @(
            @{ Uri = 'http://backups.vault.azure.net/' }
            @{ Uri = 'https://backups.example.org/' }
            @{ Uri = 'https://backups.vault.azure.net/secrets/x' }
        ) {
            $record = Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'correct horse battery') -KeyVaultUri $Uri }
            Assert-BackupError $record KeyVaultUriInvalid InvalidArgument
            $record.Exception.ErrorCode | Should -Be '100272'
            (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be NotSet
            "$TestDrive/vault/keys" | Should -Not -Exist
        }

        It 'sets whether backups read snapshots' {
            (Get-OBMachineSetting).SnapshotSetting | Should -Be Auto
            Set-OBMachineSetting -Snapshot Never -WhatIf
            (Get-OBMachineSetting).SnapshotSetting | Should -Be Auto
            Set-OBMachineSetting -Snapshot Require | Should -BeExactly 'Server properties updated successfully.'
            (Get-OBMachineSetting).SnapshotSetting | Should -Be Require
            $null = Set-OBMachineSetting -NoThrottle
            (Get-OBMachineSetting).SnapshotSetting | Should -Be Require
            $null = Set-OBMachineSetting -Snapshot Auto
        }

        It 'sets of how many backups the snapshots stay on the machine' {
            (Get-OBMachineSetting).KeepLocalSnapshot | Should -Be 0
            Set-OBMachineSetting -KeepLocalSnapshot 2 | Should -BeExactly 'Server properties updated successfully.'
            (Get-OBMachineSetting).KeepLocalSnapshot | Should -Be 2
            { Set-OBMachineSetting -KeepLocalSnapshot 65 } | Should -Throw
            (Get-OBMachineSetting).KeepLocalSnapshot | Should -Be 2
            $null = Set-OBMachineSetting -KeepLocalSnapshot 0
        }

        It 'sets which scripts run around snapshots, after a look at them' {
            (Get-OBMachineSetting).ScriptFile | Should -BeExactly ''
            $record = Get-ErrorOf { Set-OBMachineSetting -ScriptFile "$TestDrive/missing.json" }
            Assert-BackupError $record ScriptSettingsInvalid InvalidData
            $record.Exception.ErrorCode | Should -BeExactly IncorrectJSONConfigFile
            $file = New-TestScript "$TestDrive/scripts"
            Set-OBMachineSetting -ScriptFile $file -WhatIf
            (Get-OBMachineSetting).ScriptFile | Should -BeExactly ''
            Set-OBMachineSetting -ScriptFile $file | Should -BeExactly 'Server properties updated successfully.'
            (Get-OBMachineSetting).ScriptFile | Should -BeExactly $file
            Remove-Item "$TestDrive/scripts/post*"
            $null = Set-OBMachineSetting -NoThrottle
            (Get-OBMachineSetting).ScriptFile | Should -BeExactly $file
            $null = Set-OBMachineSetting -NoScript
            (Get-OBMachineSetting).ScriptFile | Should -BeExactly ''
            $record = Get-ErrorOf { Set-OBMachineSetting -ScriptFile $file }
            Assert-BackupError $record ScriptNotFound ObjectNotFound
            $record.Exception.ErrorCode | Should -BeExactly Post-ScriptNotFound
        }

        It 'sets which kinds of sources are taken without a question' {
            (Get-OBMachineSetting).AllowedSources | Should -BeNullOrEmpty
            Set-OBMachineSetting -AllowSource Network -WhatIf
            (Get-OBMachineSetting).AllowedSources | Should -BeNullOrEmpty
            Set-OBMachineSetting -AllowSource Network, Removable, Network | Should -BeExactly 'Server properties updated successfully.'
            (Get-OBMachineSetting).AllowedSources | Should -Be @('Network', 'Removable')
            $null = Set-OBMachineSetting -NoThrottle
            (Get-OBMachineSetting).AllowedSources | Should -Be @('Network', 'Removable')
            $null = Set-OBMachineSetting -AllowSource @()
            (Get-OBMachineSetting).AllowedSources | Should -BeNullOrEmpty
        }

        It 'sets nothing with -WhatIf' {
            Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'correct horse battery') -WhatIf
            (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be NotSet
        }

        It 'sets the passphrase, from the pipeline too, and keeps it nowhere' {
            $lines = ConvertTo-Secret 'correct horse battery' | Set-OBMachineSetting
            $lines | Should -BeExactly 'Server properties updated successfully.'
            (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Set
            Get-ChildItem $env:MSONLINEBACKUP_STATE, "$TestDrive/vault" -Recurse -File |
                Select-String -SimpleMatch 'correct horse battery' -Encoding latin1 | Should -BeNullOrEmpty
        }

        It 'saves it in clear where that is asked for, for its owner only' {
            $folder = (New-Item -ItemType Directory "$TestDrive/saved").FullName
            $null = Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'correct horse battery') -PassphraseSaveLocation $folder -WarningVariable said -WarningAction SilentlyContinue
            $file = Get-ChildItem $folder
            Get-Content $file | Should -BeExactly 'correct horse battery'
            "$said" | Should -BeLike "*$($file.FullName)*"
            if (-not $IsWindows) { [int] $file.UnixFileMode | Should -Be 0x180 }
        }

        It 'sets nothing where it cannot be saved' {
            $record = Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'quite another passphrase') -PassphraseSaveLocation "$TestDrive/none" }
            Assert-BackupError $record ArgumentInvalid InvalidArgument '*not set*'
            { Repair-OBKey (ConvertTo-Secret 'correct horse battery') } | Should -Not -Throw
        }

        It 'changes the passphrase' {
            Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-Secret 'another horse, another battery') -SecurityPin '' 6> $null
            { Repair-OBKey (ConvertTo-Secret 'another horse, another battery') } | Should -Not -Throw
            (Get-ErrorOf { Repair-OBKey (ConvertTo-Secret 'correct horse battery') }).FullyQualifiedErrorId | Should -BeLike 'PassphraseRejected,*'
        }
    }

    It 'limits the bandwidth, in bits a second' {
        Set-OBMachineSetting -WorkDay Tuesday, Monday -StartWorkHour '09:00' -EndWorkHour '18:00' -WorkHourBandwidth 1024000 -NonWorkHourBandwidth 2048000 6> $null
        $throttle = (Get-OBMachineSetting).ThrottleSetting
        $throttle.Enabled | Should -BeTrue
        $throttle.WorkDay | Should -Be @('Monday', 'Tuesday')
        $throttle.StartWorkHour | Should -Be ([timespan]'09:00')
        $throttle.WorkHourBandwidth | Should -Be 1024000
        Set-OBMachineSetting -NoThrottle 6> $null
        (Get-OBMachineSetting).ThrottleSetting.Enabled | Should -BeFalse
    }

    It 'takes days from the pipeline as one setting' {
        $lines = 'Friday', 'Monday', 'Friday' | Set-OBMachineSetting -StartWorkHour 9:00 -EndWorkHour 18:00 -WorkHourBandwidth 1024000 -NonWorkHourBandwidth 2048000
        @($lines).Count | Should -Be 1
        (Get-OBMachineSetting).ThrottleSetting.WorkDay | Should -Be @('Monday', 'Friday')
    }

    It 'refuses bare numbers for hours, which PowerShell reads as ticks' {
        $record = Get-ErrorOf { Set-OBMachineSetting -WorkDay Monday -StartWorkHour 9 -EndWorkHour 18 -WorkHourBandwidth 1024000 -NonWorkHourBandwidth 2048000 }
        Assert-BackupError $record ArgumentInvalid InvalidArgument '*whole seconds*'
    }

    It 'refuses the proxy <Server>' -TestCases @(@{ Server = 'proxy:8080' }, @{ Server = 'ann:hidden@proxy' }, @{ Server = 'http://ann:hidden@proxy' }) {
        $record = Get-ErrorOf { Set-OBMachineSetting -ProxyServer $Server -ProxyPort 8080 }
        Assert-BackupError $record ArgumentInvalid InvalidArgument
        $record | Format-List * -Force | Out-String | Should -Not -Match hidden
    }

    It 'refuses a bandwidth of <Bits>' -TestCases @(@{ Bits = 511999; Shown = "511,999" }, @{ Bits = 1023000001; Shown = "1,023,000,001" }) {
        $record = Get-ErrorOf { Set-OBMachineSetting -WorkDay Monday -StartWorkHour '09:00' -EndWorkHour '18:00' -WorkHourBandwidth $Bits -NonWorkHourBandwidth 512000 }
        Assert-BackupError $record PolicyLimitExceeded LimitsExceeded "*$Shown*"
    }

    It 'goes by a proxy and without' {
        Set-OBMachineSetting -ProxyServer proxy.example -ProxyPort 8080 -ProxyUsername ann -ProxyPassword (ConvertTo-Secret 'secret of ann') 6> $null
        $proxy = (Get-OBMachineSetting).ProxySetting
        $proxy.Enabled | Should -BeTrue
        $proxy.ProxyServer | Should -Be proxy.example
        $proxy.ProxyPort | Should -Be 8080
        $proxy.BypassUrls | Should -BeNullOrEmpty
        Set-OBMachineSetting -ProxyServer proxy.example -ProxyPort 8080 -BypassUrls '*.contoso.com', 'http://intranet' | Out-Null
        (Get-OBMachineSetting).ProxySetting.BypassUrls | Should -Be '*.contoso.com', 'http://intranet'
        Set-OBMachineSetting -ProxyServer proxy.example -ProxyPort 8080 -ProxyUsername ann -ProxyPassword (ConvertTo-Secret 'secret of ann') | Out-Null
        Get-ChildItem $env:MSONLINEBACKUP_STATE -Recurse -File | Select-String -SimpleMatch 'secret of ann' | Should -BeNullOrEmpty
        (Get-OBMachineSetting).ProxySetting.IsDirect | Should -BeFalse
        Set-OBMachineSetting -NoProxy 6> $null
        (Get-OBMachineSetting).ProxySetting.Enabled | Should -BeFalse
        (Get-OBMachineSetting).ProxySetting.IsDirect | Should -BeTrue
        Set-OBMachineSetting -NoProxy:$false 6> $null
        (Get-OBMachineSetting).ProxySetting.IsDirect | Should -BeFalse -Because 'what the environment says counts again'
    }
}
