BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = Get-OBRecoverableSource | Get-OBRecoverableItem
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'New-OBRecoverableItem' {
    It 'names an item by its path' {
        $item = New-OBRecoverableItem -OBRecoverableItem $point -RelativePath 'sub/b.txt' -IsDir $false
        $item | Should -BeOfType MSOnlineBackup.OBRecoverableItem
        $item.ItemNameFriendly | Should -Be "$source/sub/b.txt"
        $item.ItemSize | Should -Be 15
        (New-OBRecoverableItem $point sub -IsDir $true).IsDir | Should -BeTrue
        (New-OBRecoverableItem $point sub -IsDir $true | New-OBRecoverableItem -RelativePath b.txt -IsDir $false).Name | Should -Be b.txt
    }

    It 'refuses what is not there, or is something else' {
        Assert-BackupError (Get-ErrorOf { New-OBRecoverableItem $point 'none.txt' -IsDir $false }) RecoverableItemNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { New-OBRecoverableItem $point '../src/a.txt' -IsDir $false }) RecoverableItemNotFound ObjectNotFound
        Assert-BackupError (Get-ErrorOf { New-OBRecoverableItem $point 'a.txt' -IsDir $true }) ArgumentInvalid InvalidArgument '*not a folder*'
    }

    It 'completes the path, folder by folder' {
        $global:point = $point
        (Get-Completion 'New-OBRecoverableItem $point s').CompletionText | Should -Be sub
        (Get-Completion 'New-OBRecoverableItem $point sub/').CompletionText | Should -Be sub/b.txt
        Remove-Variable point -Scope Global
    }
}
