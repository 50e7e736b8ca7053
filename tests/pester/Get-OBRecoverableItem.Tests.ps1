BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = New-Item -ItemType Directory -Path "$source/many"
    1..230 | ForEach-Object { Set-Content -LiteralPath "$source/many/$($_.ToString('000')).dat" -Value $_ }
    $null = Invoke-TestBackup
    Set-Content -LiteralPath "$source/a.txt" -Value 'changed since' -NoNewline
    $null = Invoke-TestBackup
    $points = Get-OBRecoverableItem (Get-OBRecoverableSource)
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBRecoverableItem' {
    It 'lists the recovery points of a source, newest first' {
        $points | Should -HaveCount 2
        $points[0] | Should -BeOfType MSOnlineBackup.OBRecoverableItem
        $points[0].PointInTime | Should -BeGreaterThan $points[1].PointInTime
        $points[0].PointInTime.Kind | Should -Be Utc
        $points[0].IsDir | Should -BeTrue
        $points[0].ItemNameFriendly | Should -Be $source
        $points[0].RecoverySourceId | Should -Be (Get-OBPolicy).DsList[0].DataSourceId
        (Get-OBRecoverableSource | Get-OBRecoverableItem).RecoveryPointId | Should -Be $points.RecoveryPointId
        (Get-OBRecoverableItem -Source $source).RecoveryPointId | Should -Be $points.RecoveryPointId
    }

    It 'lists what lies in an item: by parameter, by position, by pipeline' {
        $names = 'a.txt', 'many', 'sub'
        (Get-OBRecoverableItem -ParentItem $points[0]).Name | Should -Be $names
        (Get-OBRecoverableItem $points[0]).Name | Should -Be $names
        ($points[0] | Get-OBRecoverableItem).Name | Should -Be $names
        ($points[0] | Get-OBRecoverableItem | Where-Object Name -EQ sub | Get-OBRecoverableItem).Name | Should -Be b.txt
    }

    It 'tells what a file was at that time' {
        $now, $then = $points | ForEach-Object { Get-OBRecoverableItem $_ | Where-Object Name -EQ a.txt }
        $now.ItemSize | Should -Be 13
        $then.ItemSize | Should -Be 3
        $then.IsDir | Should -BeFalse
        $now.ItemLastModifiedTime | Should -BeGreaterThan $then.ItemLastModifiedTime
        $now.ItemNameFriendly | Should -Be "$source/a.txt"
        $now.LocalMountPoint | Should -Be $source
    }

    It 'finds names below a place, with wildcards and in either case' {
        $found = Get-OBRecoverableItem -RecoveryPoint $points[0] -Location $source -SearchString 'B.TXT'
        $found.ItemNameFriendly | Should -Be "$source/sub/b.txt"
        (Get-OBRecoverableItem '00?.dat' "$source/many" -RecoveryPoint $points[0]).Name | Should -HaveCount 9
        Get-OBRecoverableItem -RecoveryPoint $points[0] -Location "$source/sub" -SearchString '*.dat' | Should -BeNullOrEmpty
        (Get-OBRecoverableItem -RecoveryPoint $points[0] -Location "$source/sub").Name | Should -Be b.txt
        ($points[0] | Get-OBRecoverableItem -Location $source -SearchString a.txt).Name | Should -Be a.txt
    }

    It 'gives a page at a time, and nothing after the last' {
        $folder = Get-OBRecoverableItem $points[0] | Where-Object Name -EQ many
        $context = New-OBPagingContext
        $pages = foreach ($page in 1..4) { , @(Get-OBRecoverableItem -ParentItem $folder -PagingContext $context) }
        $pages.Count | Should -Be 4
        $pages[0].Count, $pages[1].Count, $pages[2].Count, $pages[3].Count | Should -Be 100, 100, 30, 0
        ($pages | ForEach-Object { $_ } | ForEach-Object Name | Sort-Object -Unique).Count | Should -Be 230
        @(Get-OBRecoverableItem $folder).Count | Should -Be 230
    }

    It 'begins at the first page again with another question' {
        $context = New-OBPagingContext
        $null = Get-OBRecoverableItem -RecoveryPoint $points[0] -Location $source -SearchString '*.dat' -PagingContext $context
        (Get-OBRecoverableItem -ParentItem $points[0] -PagingContext $context).Name | Should -Contain a.txt
    }

    It 'takes a recovery point of the list of all, its id, or its time' {
        $point = (Get-OBAllRecoveryPoints)[0]
        (Get-OBRecoverableItem -ParentItem $point).ItemNameFriendly | Should -Be $source
        (Get-OBRecoverableItem -ParentItem $point.RecoveryPointId).ItemNameFriendly | Should -Be $source
        (Get-OBRecoverableItem -RecoveryPoint $point -Location $source -SearchString a.txt).Name | Should -Be a.txt
    }

    It 'stops at once when enough was seen' {
        (Get-OBRecoverableItem -RecoveryPoint $points[0] -Location $source | Select-Object -First 1).Name | Should -Be a.txt
    }

    It 'returns nothing below a file' {
        Get-OBRecoverableItem $points[0] | Where-Object Name -EQ a.txt | Get-OBRecoverableItem | Should -BeNullOrEmpty
    }

    It 'says what is not there' {
        Assert-BackupError (Get-ErrorOf { Get-OBRecoverableItem -RecoveryPoint $points[0] -Location "$source/none" }) RecoverableItemNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { Get-OBRecoverableItem -ParentItem 'ffffffff' }) RecoveryPointNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { Get-OBRecoverableItem -Source "$work/none" }) RecoveryPointNotFound ObjectNotFound
    }

    It 'completes points by time, sources, and paths inside a point' {
        $global:point = $points[0]
        $time = (Get-Completion 'Get-OBRecoverableItem -ParentItem ')[0].CompletionText.Trim("'")
        [datetime] $time | Should -BeGreaterThan (Get-Date).AddHours(-1)
        (Get-Completion 'Get-OBRecoverableItem -Source ').CompletionText | Should -Be $source
        (Get-Completion "Get-OBRecoverableItem -RecoveryPoint `$point -Location $source/s").CompletionText | Should -Be "$source/sub"
        (Get-Completion 'Get-OBRecoverableItem -RecoveryPoint $point -Location ').CompletionText | Should -Be $source
        Remove-Variable point -Scope Global
    }

    It 'takes the time of a point as <Form>' -TestCases @(
        @{ Form = 'a table shows it'; Make = { $point.BackupTime.ToString('u') } }
        @{ Form = 'ISO 8601 in UTC'; Make = { $point.BackupTime.ToString('o') } }
        @{ Form = 'ISO 8601 with a zone'; Make = { [System.DateTimeOffset]::new($point.BackupTime).ToOffset([timespan]'05:30').ToString("yyyy-MM-ddTHH:mm:sszzz", [cultureinfo]::InvariantCulture) } }
        @{ Form = 'a DateTime'; Make = { $point.BackupTime } }
        @{ Form = 'a local DateTime'; Make = { $point.BackupTime.ToLocalTime() } }
        @{ Form = 'the text of a DateTime'; Make = { "$($point.BackupTime.ToLocalTime())" } }
        @{ Form = 'its local minute'; Make = { $point.BackupTime.ToLocalTime().ToString('yyyy-MM-dd HH:mm', [cultureinfo]::InvariantCulture) } }
    ) {
        $point = (Get-OBAllRecoveryPoints)[-1]
        try { (Get-OBRecoverableItem -ParentItem (& $Make)).ItemNameFriendly | Should -Be $source }
        catch { if ($_.FullyQualifiedErrorId -notlike 'RecoveryPointAmbiguous,*') { throw } }
    }

    It 'takes a source and a place relative to where one is' {
        Push-Location $work
        try {
            (Get-OBRecoverableItem -Source ./src)[0].RecoveryPointId | Should -Be $points[0].RecoveryPointId
            (Get-OBRecoverableItem -RecoveryPoint $points[0] -Location src/sub).Name | Should -Be b.txt
        }
        finally {
            Pop-Location
        }
    }
}
