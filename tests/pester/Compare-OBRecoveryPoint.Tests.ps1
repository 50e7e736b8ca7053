BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    Set-Content -LiteralPath "$source/a.txt" -Value 'changed since' -NoNewline
    $null = New-Item -ItemType Directory -Path "$source/new"
    [System.IO.File]::WriteAllBytes("$source/new/big", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(2MB))
    Remove-Item -LiteralPath "$source/sub/b.txt"
    $null = Invoke-TestBackup
    $now, $then = Get-OBAllRecoveryPoints
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Compare-OBRecoveryPoint' {
    It 'says what was added, changed and gone, and what it weighs' {
        $found = $now | Compare-OBRecoveryPoint -Reference $then
        $found | Should -BeOfType MSOnlineBackup.OBRecoveryPointDifference
        $found | ForEach-Object { "$_" } | Should -Be "Changed $source/a.txt", "Added $source/new", "Added $source/new/big", "Gone $source/sub/b.txt"
        $found[0].Aspects | Should -Be 'Content, Modified'
        $found[0].ItemSize, $found[0].EarlierSize | Should -Be 13, 3
        $found[2].NewBytes | Should -Be 2MB
        $found[2].StoredBytes | Should -BeGreaterThan 2MB
        $found[3].NewBytes | Should -BeNullOrEmpty
        $found[3].Item.RecoveryPointId | Should -Be $then.RecoveryPointId
        $found[0].RecoveryPointId, $found[0].ReferenceId | Should -Be $now.RecoveryPointId, $then.RecoveryPointId
        ($found | Out-String -Width 120) | Should -Match 'Change +ItemSize +StoredBytes +Aspects +Path'
    }

    It 'takes ids, and items of points' {
        Compare-OBRecoveryPoint $now.RecoveryPointId $then.RecoveryPointId | Should -HaveCount 4
        $item = Get-OBRecoverableItem -ParentItem $then | Select-Object -First 1
        Compare-OBRecoveryPoint -RecoveryPoint $now -Reference $item | Should -HaveCount 4
        Compare-OBRecoveryPoint $now $now | Should -BeNullOrEmpty
    }

    It 'says where the space went' {
        $folders = Compare-OBRecoveryPoint $now $then -ByFolder
        $folders | Should -BeOfType MSOnlineBackup.OBFolderWeight
        $folders[0].Path, $folders[1].Path | Should -Be $source, "$source/new"
        $folders[1].NewBytes, $folders[1].Files, $folders[1].Depth | Should -Be 2MB, 1, 1
        (Compare-OBRecoveryPoint $now $then -ByFolder -Depth 0).Path | Should -Be $source
        Assert-BackupError (Get-ErrorOf { Compare-OBRecoveryPoint $then $now -ByFolder }) ArgumentInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { Compare-OBRecoveryPoint $now $then -Depth 1 }) ArgumentInvalid InvalidArgument
    }

    It 'gives what is gone to a recovery' {
        $option = New-OBRecoveryOption -DestinationPath "$work/out"
        $null = Compare-OBRecoveryPoint $now $then | Where-Object Change -EQ Gone | Start-OBRecovery -RecoveryOption $option
        (Get-ChildItem -LiteralPath "$work/out" -Recurse -File).Name | Should -Be b.txt
    }

    It 'says what is not there' {
        Assert-BackupError (Get-ErrorOf { Compare-OBRecoveryPoint $now 'ffffffff' }) RecoveryPointNotFound ObjectNotFound
    }
}
