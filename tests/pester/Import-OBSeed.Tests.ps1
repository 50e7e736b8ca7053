# A first backup that travels on a disk, from its folder to the vault.
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    foreach ($number in 1..8) {
        [System.IO.File]::WriteAllBytes("$source/$number.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(8MB))
    }

    $null = Save-TestPolicy $source
    $seed = "$work/disk/seed"

    # Each file of a folder with its hash, by its path below it.
    function Get-TreeHash([string] $Folder) {
        Get-ChildItem $Folder -Recurse -File | ForEach-Object { "$([System.IO.Path]::GetRelativePath($Folder, $_.FullName)) $((Get-FileHash $_.FullName).Hash)" } | Sort-Object
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Import-OBSeed' {
    It 'has nothing to bring for the system state, and no seed beyond this machine' {
        $null = New-OBPolicy | Add-OBSystemState | Set-OBSchedule -Schedule (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30) | Set-OBSystemStatePolicy
        Assert-BackupError (Get-ErrorOf { Get-OBSystemStatePolicy | Start-OBBackup -SeedPath $seed 6> $null }) NotAvailable NotImplemented '*system state*'
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Start-OBBackup -SeedPath 'https://contoso.blob.core.windows.net/seed' 6> $null }) ArgumentInvalid InvalidArgument '*travels on a disk*'
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Start-OBBackup -SeedPath $vault 6> $null }) VaultExists ResourceExists
        Test-Path $seed | Should -BeFalse
    }

    It 'brings the backup of the seed into the vault, where everything is whole, and the next backup sends next to nothing' {
        $first = Get-OBPolicy | Start-OBBackup -SeedPath $seed 6> $null
        $first.JobStatus.JobState | Should -Be Completed
        (Get-OBVault $vault).RecoveryPoints | Should -Be 0
        (Get-OBVault $vault).StoredBytes | Should -BeLessThan 100KB

        (Import-OBSeed $seed -WhatIf).PointsCopied | Should -Be 1
        (Get-OBVault $vault).RecoveryPoints | Should -Be 0
        $result = Import-OBSeed -Path $seed
        $result | Should -BeOfType MSOnlineBackup.OBVaultCopyResult
        $result.PointsCopied, $result.DamagedPoints.Count | Should -Be 1, 0
        $again = Import-OBSeed $seed $vault
        $again.PointsCopied, $again.PointsThere, $again.BytesStored | Should -Be 0, 1, 0
        (Get-OBAllRecoveryPoints).RecoveryPointId | Should -Be $first.RecoveryPointId

        # What the backup itself sends; maintenance after it, which may pack small things together, is another matter.
        $null = Set-OBVault $vault -MaintainAfterBackup:$false
        $before = Get-ChildItem $vault -Recurse -File
        $null = Invoke-TestBackup
        $sent = Get-ChildItem $vault -Recurse -File | Where-Object FullName -NotIn $before.FullName
        $share = ($sent | Measure-Object Length -Sum).Sum / ($before | Measure-Object Length -Sum).Sum
        $share | Should -BeLessThan 0.01 -Because "$($sent | ForEach-Object { "$($_.Length) $($_.FullName)" })"

        # The disk is not needed any more.
        Remove-Item -LiteralPath $seed -Recurse -Force
        foreach ($point in Get-OBRecoverableSource | Get-OBRecoverableItem) {
            $target = "$work/back-$($point.RecoveryPointId)"
            $null = Start-OBRecovery $point (New-OBRecoveryOption $target) 6> $null
            Get-TreeHash "$target/src" | Should -Be (Get-TreeHash $source)
        }
    }

    It 'is used further by the next backup to it, by a process of its own' {
        Push-Location $work
        try {
            $null = Get-OBPolicy | Start-OBBackup -SeedPath ./disk/second -Async 6> $null
        }
        finally {
            Pop-Location
        }

        Wait-TestJob
        $size = (Get-OBVault "$work/disk/second").StoredBytes
        $null = Get-OBPolicy | Start-OBBackup -SeedPath "$work/disk/second" 6> $null
        (Get-OBVault "$work/disk/second").RecoveryPoints | Should -Be 2
        (Get-OBVault "$work/disk/second").StoredBytes | Should -BeLessThan ($size * 1.01)

        # The vault has got points meanwhile, and has nearly all of the data.
        $before = (Get-OBVault $vault).StoredBytes
        (Import-OBSeed "$work/disk/second").PointsCopied | Should -Be 2
        ((Get-OBVault $vault).StoredBytes - $before) / $before | Should -BeLessThan 0.01
    }

    It 'refuses a seed of another vault, and what is no seed' {
        $null = New-OBVault "$work/foreign" 3> $null
        (Invoke-Obengine seed create "$work/foreign-seed" "$work/foreign") -join ' ' | Should -Match 'Seed of the vault'
        Assert-BackupError (Get-ErrorOf { Import-OBSeed "$work/foreign-seed" }) VaultNotTwin InvalidArgument
        $null = New-OBVault "$work/twin" -TwinOf $vault
        Assert-BackupError (Get-ErrorOf { Import-OBSeed "$work/twin" }) ArgumentInvalid InvalidArgument '*is no seed*'
        Assert-BackupError (Get-ErrorOf { Import-OBSeed "$work/nowhere" }) VaultNotFound ObjectNotFound
    }

    It 'names what suffers where the seed was damaged on its way, and is whole once that was mended' {
        $null = Get-OBPolicy | Start-OBBackup -SeedPath "$work/disk/third" 6> $null
        $empty = (New-OBVault "$work/empty" -TwinOf $vault).Location
        $pack = Get-ChildItem "$work/disk/third" -Recurse -File | Where-Object FullName -Like '*/packs/*' | Sort-Object Length | Select-Object -Last 1
        $bytes = [System.IO.File]::ReadAllBytes($pack.FullName)
        $bytes[4000] = $bytes[4000] -bxor 1
        $pack.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)
        $result = Import-OBSeed "$work/disk/third" $empty -ErrorVariable failures -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        $result.PointsCopied, $result.DamagedPoints.Count | Should -Be 0, 1
        $result.Problems.AffectedPaths | Should -Not -BeNullOrEmpty
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'VaultDataCorrupt,*'
        $bytes[4000] = $bytes[4000] -bxor 1
        [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)
        (Import-OBSeed "$work/disk/third" $empty).PointsCopied | Should -Be 1
    }
}
