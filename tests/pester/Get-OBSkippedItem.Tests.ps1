BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = Get-OBRecoverableSource | Get-OBRecoverableItem

    # What is the same is done, and not skipped.
    Set-Content "$source/sub/b.txt" 'newer'
    $job = Start-OBRecovery (New-OBRecoverableItem $point 'sub/b.txt' -IsDir $false) (New-OBRecoveryOption -OverwriteType Skip) 6> $null 3> $null
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBSkippedItem' {
    It 'tells what a job skipped, and why' {
        $item = Get-OBSkippedItem -Job $job
        $item | Should -BeOfType MSOnlineBackup.OBSkippedItem
        $item.Path | Should -Be "$source/sub/b.txt"
        $item.ErrorId | Should -Be RestoreItemExists
        $item.Reason | Should -Not -BeNullOrEmpty
        $item.JobId | Should -Be $job.JobId
        (Get-OBErrorHelp $item.ErrorId).Meaning | Should -Not -BeNullOrEmpty
    }

    It 'takes jobs by the pipeline, and ids' {
        (Get-OBJob -Previous 5 | Get-OBSkippedItem).Path | Should -Be "$source/sub/b.txt"
        (Get-OBSkippedItem $job.JobId).Path | Should -Be "$source/sub/b.txt"
        $offered = Get-Completion 'Get-OBSkippedItem -Job '
        $offered.CompletionText | Should -Contain "$($job.JobId)"
        $offered[0].ToolTip | Should -BeLike '* of *: Completed*'
    }

    It 'returns nothing where nothing was skipped' {
        Invoke-TestBackup | Get-OBSkippedItem | Should -BeNullOrEmpty
    }

    It 'says which job is not there' {
        Assert-BackupError (Get-ErrorOf { Get-OBSkippedItem -Job ([guid]::NewGuid()) }) JobNotFound ObjectNotFound
    }
}
