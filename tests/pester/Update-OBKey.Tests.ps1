BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $null = Invoke-TestBackup
    function ConvertTo-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Update-OBKey' {
    It 'changes nothing with -WhatIf, nor with what is no passphrase' {
        Update-OBKey (ConvertTo-Secret 'a passphrase for tests') -WhatIf | Should -BeNullOrEmpty
        Assert-BackupError (Get-ErrorOf { Update-OBKey (ConvertTo-Secret 'short') -Confirm:$false }) PassphraseInvalid InvalidArgument
        Get-ChildItem "$vault/keys" -Recurse -Directory -Filter epochs | Should -BeNullOrEmpty
    }

    It 'begins a new master key, and the machine goes on' {
        Update-OBKey (ConvertTo-Secret 'a passphrase of a new key') -Confirm:$false -WarningVariable told | Should -BeNullOrEmpty
        $told | Should -BeNullOrEmpty
        $null = Invoke-TestBackup
        (Get-OBVault).RecoveryPoints | Should -Be 2
        Assert-BackupError (Get-ErrorOf { Repair-OBKey (ConvertTo-Secret 'a passphrase for tests') }) PassphraseRejected AuthenticationError
        Repair-OBKey (ConvertTo-Secret 'a passphrase of a new key')
        @(Get-OBRecoverableSource | Get-OBRecoverableItem).Count | Should -Be 2
        (Get-OBAllRecoveryPoints | Test-OBRecoveryPoint).Passed | Should -Not -Contain $false
    }

    It 'has maintenance seal anew what the key before has sealed' {
        $before = Invoke-OBMaintenance -Confirm:$false
        $before.BytesUnderEarlierKeys | Should -BeGreaterThan 0
        $null = Invoke-OBMaintenance -ReencryptBytes 1GB -Confirm:$false
        (Invoke-OBMaintenance -Confirm:$false).BytesUnderEarlierKeys | Should -Be 0
        @(Get-OBRecoverableSource | Get-OBRecoverableItem).Count | Should -Be 2
    }

    It 'tells of key slots that lead to the key before only' {
        $env:OBENGINE_PASSPHRASE = 'a passphrase of a new key'
        try {
            Set-Content -LiteralPath "$work/other.txt" -Value 'another passphrase' -NoNewline
            if (-not $IsWindows) { chmod 600 "$work/other.txt" }
            Invoke-Obengine key add --vault $vault --new-passphrase-file "$work/other.txt" | Should -BeLike 'Key slot * added.'
        }
        finally { $env:OBENGINE_PASSPHRASE = $null }
        Update-OBKey (ConvertTo-Secret 'a passphrase of a new key') -Confirm:$false -WarningVariable told -WarningAction SilentlyContinue
        "$told" | Should -BeLike '*opens only what was written before*obengine key add*'
    }
}
