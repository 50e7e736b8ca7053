BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBVault' {
    It 'creates a vault and returns it' {
        $vault = New-OBVault -Path "$TestDrive/one" -Name Offsite
        $vault.Name | Should -Be Offsite
        $vault.Location | Should -Be "$TestDrive/one"
        $vault.VaultId | Should -Match '^[0-9a-f]{32}$'
        $vault.RecoveryPoints | Should -Be 0
        "$TestDrive/one/vault.json" | Should -Exist
    }

    It 'keeps the owner''s key here and says how to bring it to a file, or writes the file' {
        $kept = New-OBVault "$TestDrive/kept" -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -BeLike '*Export-OBVaultOwner*'
        $kept.Owner | Should -Match '^[0-9a-f]{64}$'
        $owner = @{ OwnerFile = "$TestDrive/owner"; OwnerPassphrase = ConvertTo-SecureString 'the passphrase of the owner' -AsPlainText -Force }
        $null = New-OBVault "$TestDrive/filed" @owner -WarningVariable warnings -InformationVariable said 6> $null
        $warnings | Should -BeNullOrEmpty
        "$said" | Should -BeLike "*$TestDrive/owner*elsewhere*"
        (Get-Content "$TestDrive/owner" -Raw | ConvertFrom-Json).vaultId | Should -Be (Get-OBVault "$TestDrive/filed").VaultId
        Assert-BackupError (Get-ErrorOf { Set-OBVault "$TestDrive/filed" -MachineLimit 2 }) OwnerRequired PermissionDenied
        (Set-OBVault "$TestDrive/filed" -MachineLimit 2 @owner).MachineLimit | Should -Be 2
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/again" @owner }) OwnerFileInvalid InvalidData '*exists already*'
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/half" -OwnerFile "$TestDrive/half-owner" }) ArgumentInvalid InvalidArgument '*no passphrase*'
        "$TestDrive/again/vault.json" | Should -Not -Exist
    }

    It 'is called by its folder where no name is given' {
        (New-OBVault "$TestDrive/two/").Name | Should -Be two
    }

    It 'takes a path that is relative to the location' {
        Push-Location $TestDrive
        try { (New-OBVault three).Location | Should -Be (Join-Path $TestDrive three) }
        finally { Pop-Location }
    }

    It 'creates a twin, with the name, owner and settings of its vault and no points' {
        $vault = New-OBVault "$TestDrive/original" -Name Original -ParityPercent 10 3> $null
        $twin = New-OBVault -Path "$TestDrive/twin" -TwinOf $vault -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        $twin.VaultId, $twin.Name, $twin.Owner, $twin.ParityPercent, $twin.RecoveryPoints | Should -Be $vault.VaultId, Original, $vault.Owner, 10, 0
        $twin.Location | Should -Be "$TestDrive/twin"

        # From then on each has settings of its own, and the same owner.
        (Set-OBVault $twin -ParityPercent 5).ParityPercent, (Get-OBVault $vault).ParityPercent | Should -Be 5, 10
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/twin" -TwinOf $vault }) VaultExists ResourceExists
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/lost" -TwinOf "$TestDrive/nowhere" }) VaultNotFound ObjectNotFound
        foreach ($more in @{ Name = 'x' }, @{ ParityPercent = 5 }, @{ KeepOwner = $true }) {
            Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/none" -TwinOf $vault @more }) ArgumentInvalid InvalidArgument '*twin*'
        }

        "$TestDrive/none", "$TestDrive/lost" | Should -Not -Exist
    }

    It 'creates nothing with -WhatIf' {
        New-OBVault "$TestDrive/four" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/four" | Should -Not -Exist
    }

    It 'leaves alone what is there' {
        $null = New-OBVault "$TestDrive/five"
        Assert-BackupError (Get-ErrorOf { New-OBVault "$TestDrive/five" }) VaultExists ResourceExists
    }

    It 'makes no folder of a URL without its scheme' {
        Push-Location $TestDrive
        try {
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url account.blob.core.windows.net/vault }) ArgumentInvalid InvalidArgument '*is not the URL*'
            'account.blob.core.windows.net' | Should -Not -Exist
        }
        finally { Pop-Location }
    }

    It 'takes a URL without its name too' {
        Assert-BackupError (Get-ErrorOf { New-OBVault http://192.0.2.1/account/vault }) ArgumentInvalid InvalidArgument '*plain HTTP*'
    }

    Context 'on another machine' -Skip:$IsWindows {
        BeforeAll {
            # A script stands for ssh.
            function Set-TestSsh([string] $Script) {
                Set-Content "$TestDrive/ssh" "#!/bin/sh`n$Script"
                chmod +x "$TestDrive/ssh"
            }

            $env:OBENGINE_SSH = "$TestDrive/ssh"
            $env:OBENGINE_SSH_REMOTE = "'$shell' -NoProfile -NonInteractive -File '$(Join-Path (Split-Path $manifest) module/obengine.ps1)'"
        }

        AfterAll { $env:OBENGINE_SSH = $env:OBENGINE_SSH_REMOTE = $null }

        It 'creates it by what ssh runs there' {
            # It runs here what was to be run there.
            Set-TestSsh 'for last; do :; done; exec sh -c "$last"'
            $place = "ssh://backup@nas$TestDrive/far"
            $vault = New-OBVault -Url $place -Name Far
            $vault.Location | Should -Be $place
            "$TestDrive/far/vault.json" | Should -Exist
            (Get-OBVault $place).VaultId | Should -Be $vault.VaultId
            (Set-OBVault $place -MachineLimit 3).MachineLimit | Should -Be 3
            (New-OBVault "ssh://nas$TestDrive/second").Name | Should -Be second
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url $place }) VaultExists ResourceExists '*From ''ssh://backup@nas*something is there already*'
        }

        It 'says what ssh says' {
            $place = "ssh://backup@nas$TestDrive/barred"
            Set-TestSsh 'echo "backup@nas: Permission denied (publickey)." >&2; exit 255'
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url $place }) VaultAccessDenied PermissionDenied '*Permission denied (publickey)*'
            Set-TestSsh 'echo "Host key verification failed." >&2; exit 255'
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url $place }) VaultHostUntrusted SecurityError '*does not know the host key*'
            Set-TestSsh 'echo "sh: obengine: not found" >&2; exit 127'
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url $place }) VaultProgramUnusable ProtocolError '*no obengine*'
            Assert-BackupError (Get-ErrorOf { New-OBVault -Url ssh://nas }) ArgumentInvalid InvalidArgument '*names no folder*'
        }
    }

    It 'takes folders only' {
        Assert-BackupError (Get-ErrorOf { New-OBVault 'env:vault' }) ArgumentInvalid InvalidArgument
    }
}
