BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
    $twin = (New-OBVault "$work/twin" -TwinOf $vault).Location

    # The ids of the points of a place, the latest first.
    function Get-PointId([string] $Place) {
        $credential = Export-OBVaultCredential $Place "$work"
        Get-OBAlternateBackupServer $credential.FullName $passphrase | Get-OBRecoverableSource | Get-OBRecoverableItem | ForEach-Object RecoveryPointId | Sort-Object -Unique -Descending
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Copy-OBVault' {
    It 'says with -WhatIf how many points would be copied, and copies none' {
        $planned = Copy-OBVault -Destination $twin -WhatIf
        $planned | Should -BeOfType MSOnlineBackup.OBVaultCopyResult
        $planned.IsRehearsal, $planned.PointsCopied, $planned.PointsThere, $planned.BytesStored | Should -Be $true, 1, 0, 0
        (Get-OBVault $twin).RecoveryPoints | Should -Be 0
    }

    It 'copies what the vault of this machine has by its key, and the second time nothing' {
        $result = Copy-OBVault -Destination $twin
        $result.IsRehearsal, $result.PointsCopied, $result.PointsThere | Should -Be $false, 1, 0
        $result.Bytes | Should -BeGreaterThan 0
        $result.Destination | Should -Be $twin
        $again = Get-OBVault | Copy-OBVault -Destination (Get-OBVault $twin)
        $again.PointsCopied, $again.PointsThere, $again.BytesStored | Should -Be 0, 1, 0
        $again | Out-String | Should -Match '(?s)PointsCopied\s*: 0.*Copied\s*: 0 bytes in 0 chunks'
        Get-PointId $twin | Should -Be (Get-PointId $vault)
    }

    It 'gives everything back from the twin alone' {
        Set-Content -LiteralPath "$source/later.txt" -Value 'three' -NoNewline
        $null = Invoke-TestBackup
        (Copy-OBVault $vault $twin -EncryptionPassphrase $passphrase).PointsCopied | Should -Be 1
        Rename-Item "$work/vault" away
        try {
            $credential = Export-OBVaultCredential $twin $work
            $item = Get-OBAlternateBackupServer $credential.FullName $passphrase | Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
            $null = Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null
            Get-ChildItem "$work/back" -Recurse -File | ForEach-Object Name | Sort-Object | Should -Be a.txt, b.txt, later.txt
            (Get-ChildItem "$work/back" -Recurse -Filter later.txt | Get-Content -Raw) | Should -Be three
            Assert-BackupError (Get-ErrorOf { Copy-OBVault -Destination $twin }) VaultNotFound ObjectNotFound
        }
        finally {
            Rename-Item "$work/away" vault
        }
    }

    It 'copies single points, and older ones where they are asked for' {
        $other = (New-OBVault "$work/other" -TwinOf $vault).Location
        $newest, $older = Get-PointId $vault
        (Copy-OBVault -Destination $other -RecoveryPointId latest).PointsCopied | Should -Be 1
        Get-PointId $other | Should -Be $newest
        $rest = Copy-OBVault -Destination $other
        $rest.PointsCopied, $rest.PointsOlder | Should -Be 0, 1
        (Copy-OBVault -Destination $other -IncludeOlder).PointsCopied | Should -Be 1
        Assert-BackupError (Get-ErrorOf { Copy-OBVault -Destination $other -RecoveryPointId 000 }) RecoveryPointNotFound ObjectNotFound
        (Copy-OBVault $other "$vault" -RecoveryPointId $older).PointsThere | Should -Be 1
    }

    It 'needs a passphrase for vaults of others, and refuses what is no twin' {
        $null = New-OBVault "$work/foreign" 3> $null
        $null = New-OBVault "$work/foreign2" -TwinOf "$work/foreign"
        Assert-BackupError (Get-ErrorOf { Copy-OBVault "$work/foreign" "$work/foreign2" }) RecoveryOptionMissing InvalidArgument '*passphrase*'
        Assert-BackupError (Get-ErrorOf { Copy-OBVault -Destination "$work/foreign" }) VaultNotTwin InvalidArgument '*no twin*'
        Assert-BackupError (Get-ErrorOf { Copy-OBVault -Destination $vault }) ArgumentInvalid InvalidArgument '*itself*'
        Assert-BackupError (Get-ErrorOf { Copy-OBVault -Destination "$work/nowhere" }) VaultNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { Copy-OBVault $vault $twin -EncryptionPassphrase (ConvertTo-SecureString 'another passphrase' -AsPlainText -Force) }) PassphraseRejected AuthenticationError
    }

    It 'keeps in the twin what its own retention says, and copies nothing of that again' {
        $kept = (New-OBVault "$work/kept" -TwinOf $vault).Location
        $month = New-OBRetentionPolicy -RetentionDays 30 -RetentionMonthlyPolicy -MonthDaysOfMonth 1 -RetentionMonths 12 3> $null
        $first = Copy-OBVault -Destination $kept -RetentionPolicy $month
        $first.PointsCopied, $first.PointsNotKept, $first.PointsExpired | Should -Be 2, 0, 0
        $again = Copy-OBVault -Destination $kept -RetentionPolicy $month
        $again.PointsCopied, $again.PointsThere, $again.BytesStored | Should -Be 0, 2, 0
        $none = Get-ErrorOf { Copy-OBVault -Destination $kept -RetentionPolicy ([MSOnlineBackup.OBRetentionPolicy]::new()) }
        Assert-BackupError $none PolicyLimitExceeded LimitsExceeded '*daily retention*'
    }

    It 'names the items that suffer by damage, in an error at the end, and copies the other points' {
        $damaged = (New-OBVault "$work/damaged" -TwinOf $vault).Location
        $null = Copy-OBVault -Destination $damaged
        $pack = Get-ChildItem $damaged -Recurse -File | Where-Object FullName -Like '*/packs/*' | Sort-Object Length | Select-Object -Last 1
        $bytes = [System.IO.File]::ReadAllBytes($pack.FullName)
        $bytes[45] = $bytes[45] -bxor 1
        $pack.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)

        $third = (New-OBVault "$work/third" -TwinOf $vault).Location
        $result = Copy-OBVault $damaged $third -ErrorVariable failures -ErrorAction SilentlyContinue -WarningAction SilentlyContinue

        $result.DamagedPoints | Should -Not -BeNullOrEmpty
        $result.PointsCopied + $result.DamagedPoints.Count | Should -Be 2
        $result.Problems.AffectedPaths | Should -Not -BeNullOrEmpty
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'VaultDataCorrupt,*'
        $failures[0].ErrorDetails.RecommendedAction | Should -BeLike '*-IncludeOlder*'
    }

    It 'has backups go to a twin as well where the policy says so, and warns where that is away' {
        $both = (New-OBVault "$work/both" -TwinOf $vault).Location
        $saved = Get-OBPolicy | Set-OBPolicy -CopyTo $both, "$work/absent" -Confirm:$false -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike "*'$work/absent' as well, which cannot be looked at now*"
        $saved.CopyTo | Should -Be $both, "$work/absent"
        (Get-OBPolicy).CopyTo | Should -Be $both, "$work/absent"
        Invoke-TestBackup -WarningAction SilentlyContinue | Should -Not -BeNullOrEmpty
        $job = Get-OBJob -Previous 1
        $job.JobStatus.JobState | Should -Be CompletedWithWarning
        ($job.JobStatus.Warnings | Out-String) | Should -BeLike "*$work/absent*"
        Get-PointId $both | Should -Be (Get-PointId $vault)
        $null = Get-OBPolicy | Set-OBPolicy -CopyTo $both
        $null = Invoke-TestBackup
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
        Get-PointId $both | Should -Be (Get-PointId $vault)
        $null = New-OBVault "$work/strange" 3> $null
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Set-OBPolicy -CopyTo "$work/strange" }) VaultNotTwin InvalidArgument
        (Get-OBPolicy | Set-OBPolicy -CopyTo @()).CopyTo | Should -BeNullOrEmpty
    }
}
