# What is recovered from the copy of the vault while its own place is gone, and what the copy may not be used for.

BeforeDiscovery {
    . "$PSScriptRoot/Azurite.ps1"
    $noAzure = -not (Test-Azurite)
}

Describe 'The secondary region' {
    BeforeAll {
        . "$PSScriptRoot/Common.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Azurite.ps1"
        $work = New-TestFolder
        $vault = Initialize-TestMachine $work
        $source = New-TestTree "$work/src"
        [System.IO.File]::WriteAllBytes("$source/random.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(3MB))
        $null = Save-TestPolicy $source
        $null = Invoke-TestBackup
        $passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
        $twin = (New-OBVault "$work/twin" -TwinOf $vault).Location
        $null = Copy-OBVault -Destination $twin

        # Each file of a folder with its hash, by its path below it.
        function Get-TreeHash([string] $Folder) {
            Get-ChildItem $Folder -Recurse -File | ForEach-Object { "$([System.IO.Path]::GetRelativePath($Folder, $_.FullName)) $((Get-FileHash $_.FullName).Hash)" } | Sort-Object
        }

        function Get-VaultFile([string] $Folder) {
            Get-ChildItem $Folder -Recurse -File -Force | ForEach-Object { "$($_.FullName) $($_.Length) $($_.LastWriteTimeUtc.Ticks)" } | Sort-Object
        }
    }

    AfterAll {
        Remove-TestState
        Remove-Item -LiteralPath $work -Recurse -Force
    }

    It 'is named once it was seen that it is a copy of this vault' {
        $null = New-OBVault "$work/foreign" 3> $null
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -SecondaryVault "$work/foreign" }) VaultNotTwin InvalidArgument '*no copy of*'
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -SecondaryVault $vault }) ArgumentInvalid InvalidArgument '*itself*'
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -SecondaryVault "$work/nowhere" }) VaultNotFound ObjectNotFound
        (Get-OBMachineSetting).SecondaryVault | Should -Be ''
        Set-OBMachineSetting -SecondaryVault $twin -WhatIf
        (Get-OBMachineSetting).SecondaryVault | Should -Be ''
        Set-OBMachineSetting -SecondaryVault (Get-OBVault $twin) | Should -Be 'Server properties updated successfully.'
        (Get-OBMachineSetting).SecondaryVault | Should -Be $twin
    }

    It 'gives everything back, byte for byte, while the vault is gone, and nothing is written there' {
        $before = Get-VaultFile $twin
        $item = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
        Rename-Item $vault away
        try {
            $point = Get-OBAllRecoveryPoints -UseSecondaryRegion
            $point.RecoveryPointId | Should -Be $item.RecoveryPointId
            $found = Get-OBRecoverableSource -UseSecondaryRegion | Get-OBRecoverableItem | Select-Object -First 1
            (Get-OBRecoverableItem $found).ItemNameFriendly | Should -Contain "$source/a.txt"
            (Start-OBRecovery $found (New-OBRecoveryOption "$work/back1") 6> $null).JobStatus.JobState | Should -Be Completed
            Get-TreeHash "$work/back1/src" | Should -Be (Get-TreeHash $source)

            # What was found before the vault went is read from the copy where that is asked for; by a process of its own, too.
            Assert-BackupError (Get-ErrorOf { Start-OBRecovery $item (New-OBRecoveryOption "$work/back2") 6> $null }) VaultNotFound ObjectNotFound
            $null = Start-OBRecovery $item (New-OBRecoveryOption "$work/back2") -UseSecondaryRegion -Async 6> $null
            Wait-TestJob
            Get-TreeHash "$work/back2/src" | Should -Be (Get-TreeHash $source)
        }
        finally {
            Rename-Item "$work/away" vault
        }

        Get-VaultFile $twin | Should -Be $before
    }

    It 'is asked which points it has, and told where it cannot be' {
        $points = Get-OBAllRecoveryPoints -IncludeCopy
        $points.Place | Should -Be Vaulted
        $points.Copies | Should -Be $twin
        (Get-OBAllRecoveryPoints).Place | Should -Be Unknown
        Rename-Item $twin gone
        try {
            $points = Get-OBAllRecoveryPoints -IncludeCopy -WarningVariable warnings -WarningAction SilentlyContinue
        }
        finally {
            Rename-Item "$work/gone" (Split-Path -Leaf $twin)
        }

        $points.Place | Should -Be Unknown
        $warnings | Should -HaveCount 1
        $warnings[0].Message | Should -BeLike "*$twin*VaultNotFound*"
        Set-OBMachineSetting -SecondaryVault ''
        try { Assert-BackupError (Get-ErrorOf { Get-OBAllRecoveryPoints -IncludeCopy }) RecoveryOptionMissing InvalidArgument '*No copy*' }
        finally { Set-OBMachineSetting -SecondaryVault $twin }
    }

    It 'is mounted, and nothing is written there' -Skip:(-not (Test-Path /dev/fuse)) {
        $before = Get-VaultFile $twin
        Rename-Item $vault away
        try {
            $mount = Start-OBRecoveryMount -All "$work/mount" -UseSecondaryRegion
            try {
                $file = Get-ChildItem "$work/mount" -Recurse -Filter random.bin | Select-Object -First 1
                (Get-FileHash $file.FullName).Hash | Should -Be (Get-FileHash "$source/random.bin").Hash
            }
            finally {
                $null = $mount | Stop-OBRecoveryMount -Force
            }
        }
        finally {
            Rename-Item "$work/away" vault
        }

        Get-VaultFile $twin | Should -Be $before
    }

    It 'has a credential file of its own, with which no machine registers' {
        $credential = (Export-OBVaultCredential $twin $work -SecondaryRegion).FullName
        Assert-BackupError (Get-ErrorOf { Start-OBRegistration -VaultCredentials $credential 6> $null }) VaultCredentialInvalid AuthenticationError '*secondary region*'
        Set-OBMachineSetting -SecondaryVault ''
        (Get-OBMachineSetting).SecondaryVault | Should -Be ''
        $null = Set-OBMachineSetting -SecondaryVaultCredentials $credential
        (Get-OBMachineSetting).SecondaryVault | Should -Be $twin

        # Another machine has it from the file, and this one's vault need not be known to it.
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$work/state-other"
        try {
            Assert-BackupError (Get-ErrorOf { Start-OBRegistration -VaultCredentials $credential 6> $null }) VaultCredentialInvalid AuthenticationError '*secondary region*'
            $found = Get-OBAlternateBackupServer $credential $passphrase | Get-OBRecoverableSource -UseSecondaryRegion | Get-OBRecoverableItem | Select-Object -First 1
            $null = Start-OBRecovery $found (New-OBRecoveryOption "$work/back3") 6> $null
            Get-TreeHash "$work/back3/src" | Should -Be (Get-TreeHash $source)
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $own
        }

        # A server of the vault itself leads to the copy that the settings name.
        $primary = Export-OBVaultCredential $vault $work
        $source = Get-OBAlternateBackupServer $primary.FullName $passphrase | Get-OBRecoverableSource -UseSecondaryRegion
        Rename-Item $vault away
        try {
            ($source | Get-OBRecoverableItem).RecoveryPointId | Should -Be $found.RecoveryPointId
        }
        finally {
            Rename-Item "$work/away" vault
        }
    }

    It 'is refused where another vault has come into its place' {
        Rename-Item $twin twin-away
        $null = New-OBVault $twin 3> $null
        try {
            Assert-BackupError (Get-ErrorOf { Get-OBRecoverableSource -UseSecondaryRegion }) VaultNotTwin InvalidArgument '*no copy of*'
        }
        finally {
            Remove-Item -LiteralPath $twin -Recurse -Force
            Rename-Item "$work/twin-away" twin
        }
    }

    It 'may be a container in Azure' -Skip:$noAzure {
        $azurite = Start-TestAzurite
        try {
            $cloud = New-OBVault -Url "$($azurite.Url)/copy" -TwinOf $vault
            $null = Copy-OBVault -Destination $cloud
            $sas = ConvertTo-SecureString (New-TestSas copy rl) -AsPlainText -Force
            $credential = (Export-OBVaultCredential -Vault $cloud -Path $work -SasToken $sas -SecondaryRegion).FullName
            $null = Set-OBMachineSetting -SecondaryVaultCredentials $credential
            Get-Content "$env:MSONLINEBACKUP_STATE/settings.json" -Raw | Should -Not -Match 'sig='
            Rename-Item $vault away
            $found = Get-OBRecoverableSource -UseSecondaryRegion | Get-OBRecoverableItem | Select-Object -First 1
            $null = Start-OBRecovery $found (New-OBRecoveryOption "$work/back4") 6> $null
            Get-TreeHash "$work/back4/src" | Should -Be (Get-TreeHash $source)
        }
        finally {
            if (Test-Path "$work/away") { Rename-Item "$work/away" vault }
            Stop-TestAzurite $azurite
        }
    }
}
