BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src")
    $null = Invoke-TestBackup
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Move-OBScratch' {
    It 'moves the key file, and backups go on' {
        $new = (New-Item -ItemType Directory "$work/scratch").FullName
        Push-Location $work
        try { $moved = Move-OBScratch ./scratch } finally { Pop-Location }

        $moved | Should -BeOfType System.IO.DirectoryInfo
        $moved.FullName | Should -Be $new
        "$new/OnlineBackup.KEK" | Should -Exist
        "$env:MSONLINEBACKUP_STATE/scratch/OnlineBackup.KEK" | Should -Not -Exist
        Remove-Item -LiteralPath "$env:MSONLINEBACKUP_STATE/scratch" -Recurse
        $null = Invoke-TestBackup
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
    }

    It 'refuses a folder that is not there, and stays where it was' {
        Assert-BackupError (Get-ErrorOf { Move-OBScratch "$work/nowhere" }) ScratchInvalid InvalidArgument
        "$work/scratch/OnlineBackup.KEK" | Should -Exist
        $null = Invoke-TestBackup
    }
}
