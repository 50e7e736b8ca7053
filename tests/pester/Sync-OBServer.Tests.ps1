BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Groups.ps1"
        $null = New-OBProtectionGroup web -Machine m1, m2 -Policy $policy -DiskVault $vault, $second -CopyTo $cloud
        $null = Copy-OBVault -Destination $cloud
        $lost = $env:MSONLINEBACKUP_STATE
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work, $lost -Recurse -Force
}

Describe 'Sync-OBServer' -Skip:$IsWindows {
    It 'finds all again from one place, and a second run changes nothing' {
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/state").FullName
        Get-OBProtectionGroup | Should -BeNullOrEmpty
        Assert-BackupError (Get-ErrorOf { Sync-OBServer $second }) RecoveryOptionMissing InvalidArgument '*passphrase*'
        $first = Sync-OBServer $second -EncryptionPassphrase $passphrase
        $first | Should -BeOfType MSOnlineBackup.OBServerSync
        $first.ProtectionGroup, $first.HasChanged | Should -Be web, $true
        $first.Place | Should -Be $second, $vault, $cloud
        $first.MachinesRestored | Should -Be m1, m2
        $again = Sync-OBServer $vault
        $again.HasChanged, $again.RecoveryPoints, $again.MachinesRestored.Count | Should -Be $false, 1, 0
        (Get-OBProtectionGroup web).Machine | Should -Be m1, m2

        # Nobody has to compare fingerprints anew, and another key is refused.
        (Get-OBAgent m1 -Refresh).State | Should -Be Current
        Set-Content "$machines/m1/key" 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3Nb3CTTpgD6jE05aN04Zzep+8gWRQ8ue/2xa9zwhhS'
        $null = Get-OBAgent m1 -Refresh -ErrorAction SilentlyContinue -ErrorVariable told
        $told[0].FullyQualifiedErrorId | Should -BeLike 'VaultHostUntrusted,*'
    }

    It 'makes lost disks anew from the copy' {
        Remove-Item -LiteralPath $vault, $second -Recurse -Force
        $made = Sync-OBServer -ReallocateReplica -From $cloud
        $made.PointsCopied, $made.RecoveryPoints | Should -Be 1, 1
        (Get-OBProtectionGroup web).DiskVault.State | Should -Not -Contain Away
        (Get-OBVault $vault).RecoveryPoints, (Get-OBVault $second).RecoveryPoints | Should -Be 1, 0
        Assert-BackupError (Get-ErrorOf { Sync-OBServer -ReallocateReplica -From $cloud }) ArgumentInvalid InvalidArgument '*none needs*'
    }

    It 'is done by obengine, too' {
        Set-Content "$work/passphrase" 'a passphrase for tests'
        $summary = Invoke-Obengine server sync $cloud --passphrase-file "$work/passphrase" --state "$work/third" --json | ConvertFrom-Json | Select-Object -Last 1
        $summary.groups, $summary.hasChanged, $summary.points | Should -Be web, $true, 1
        $summary = Invoke-Obengine server sync $cloud --state "$work/third" --json | ConvertFrom-Json | Select-Object -Last 1
        $summary.hasChanged | Should -Be $false
        Remove-Item -LiteralPath $second -Recurse -Force
        $summary = Invoke-Obengine server sync $second --reallocate-from $cloud --state "$work/third" --json | ConvertFrom-Json | Select-Object -Last 1
        $summary.pointsCopied | Should -Be 1
    }
}
