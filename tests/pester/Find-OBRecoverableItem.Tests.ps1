BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $null = Invoke-TestBackup
    Set-Content -LiteralPath "$source/a.txt" -Value 'changed since' -NoNewline
    $null = Invoke-TestBackup
    $points = Get-OBAllRecoveryPoints
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Find-OBRecoverableItem' {
    It 'says in which versions the points have an item, the newest first' {
        $found = Find-OBRecoverableItem '*.TXT'
        $found | Should -BeOfType MSOnlineBackup.OBItemVersion
        $found.Path | Should -Be "$source/a.txt", "$source/a.txt", "$source/sub/b.txt"
        $found.ItemSize | Should -Be 13, 3, (Get-Item "$source/sub/b.txt").Length
        $found.RecoveryPointCount | Should -Be 1, 2, 3
        $found.FirstRecoveryPointId | Should -Be $points[0].RecoveryPointId, $points[2].RecoveryPointId, $points[2].RecoveryPointId
        $found.LastRecoveryPointId | Should -Be $points[0].RecoveryPointId, $points[1].RecoveryPointId, $points[0].RecoveryPointId
        ($found | Out-String -Width 120) | Should -Match 'ItemSize +Modified +FirstBackup +LastBackup +Points +Path'
    }

    It 'searches the points that come by the pipeline' {
        ($points | Select-Object -Skip 1 | Find-OBRecoverableItem a.txt).RecoveryPointCount | Should -Be 2
        (Find-OBRecoverableItem a.txt $points[0], $points[1]).RecoveryPointCount | Should -Be 1, 1
        (Find-OBRecoverableItem "$source/sub/*" $points[0].RecoveryPointId).Path | Should -Be "$source/sub/b.txt"
        Find-OBRecoverableItem none | Should -BeNullOrEmpty
    }

    It 'gives a version to a recovery' {
        $option = New-OBRecoveryOption -DestinationPath "$work/out"
        $null = Find-OBRecoverableItem a.txt | Select-Object -Last 1 | Start-OBRecovery -RecoveryOption $option
        (Get-ChildItem -LiteralPath "$work/out" -Recurse -File).Length | Should -Be 3
    }

    It 'says what makes no sense' {
        Assert-BackupError (Get-ErrorOf { Find-OBRecoverableItem 'a//b' }) PatternInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { 'ffffffff' | Find-OBRecoverableItem a }) RecoveryPointNotFound ObjectNotFound
    }
}
