BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $backup = Invoke-TestBackup
    $point = Get-OBRecoverableSource | Get-OBRecoverableItem
    Set-Content "$source/sub/b.txt" 'newer'
    $job = Start-OBRecovery (New-OBRecoverableItem $point 'sub/b.txt' -IsDir $false) (New-OBRecoveryOption -OverwriteType Skip) 6> $null 3> $null
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBJobLog' {
    It 'tells what a backup went by, and what it did' {
        $log = @($backup | Get-OBJobLog)
        $log[0] | Should -BeOfType MSOnlineBackup.OBJobLogEntry
        $log[0].Event | Should -Be Started
        $log[0].Settings['order.kind'] | Should -Be backup
        $log[0].Settings['vault'] | Should -Be "$work/vault"
        $log.Event | Should -Contain Phase
        $log[-1].Event | Should -Be Ended
        $log[-1].Level | Should -Be Info
        $log[-1].Figures['files'] | Should -BeGreaterThan 0
        $log[-1].Figures['newBytes'] | Should -Be $backup.JobStatus.NewBytes
        $log.JobId | Select-Object -Unique | Should -Be $backup.JobId
    }

    It 'tells what a recovery skipped, with its path' {
        $skipped = Get-OBJobLog -Job $job | Where-Object Event -EQ Skipped
        $skipped.Path | Should -Be "$source/sub/b.txt"
        $skipped.ErrorId | Should -Be RestoreItemExists
        $skipped.Level | Should -Be Warning
        (Get-OBErrorHelp $skipped.ErrorId).Meaning | Should -Not -BeNullOrEmpty
    }

    It 'has no secret' {
        $file = "$env:MSONLINEBACKUP_STATE/jobs/$($backup.JobId)/log.jsonl"
        $file | Should -Exist
        Get-Content $file | ForEach-Object { $_ | ConvertFrom-Json } | Should -HaveCount @($backup | Get-OBJobLog).Count
        Get-Content $file -Raw | Should -Not -Match 'horse|assphrase":'
    }

    It 'says which job is not there' {
        Assert-BackupError (Get-ErrorOf { Get-OBJobLog -Job ([guid]::NewGuid()) }) JobNotFound ObjectNotFound
    }
}
