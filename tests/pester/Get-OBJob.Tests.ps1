BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup)
    $failed = Get-ErrorOf {
        Rename-Item "$work/vault" away
        try { Get-OBPolicy | Start-OBBackup 6> $null } finally { Rename-Item "$work/away" vault }
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBJob' {
    It 'returns nothing where no job runs' {
        Get-OBJob | Should -BeNullOrEmpty
    }

    It 'returns the newest jobs that have ended, the oldest of them first' {
        $found = Get-OBJob -Previous 3
        $found | Should -HaveCount 3
        $found[0].JobId | Should -Be $jobs[0].JobId
        $found[1].JobId | Should -Be $jobs[1].JobId
        $found[2].JobStatus.JobState | Should -Be Failed
        (Get-OBJob 1).JobId | Should -Be $found[2].JobId
    }

    It 'chooses by how they ended' {
        (Get-OBJob -Previous 2 -Status Successful).JobId | Should -Be $jobs[1].JobId
        Get-OBJob 10 Successful | Should -HaveCount 2
        (Get-OBJob -Previous 10 -Status Failed).JobStatus.ErrorInfo.ErrorId | Should -Be $failed.Exception.Id
        Get-OBJob -Previous 10 -Status All | Should -HaveCount 3
    }

    It 'chooses among the newest: what is older than these is no news' {
        Get-OBJob -Previous 1 -Status Successful | Should -BeNullOrEmpty
        (Get-OBJob -Previous 1 -Status Failed).JobStatus.ErrorInfo.ErrorId | Should -Be $failed.Exception.Id
        $null = Invoke-TestBackup
        Get-OBJob -Previous 1 -Status Failed | Should -BeNullOrEmpty
        (Get-OBJob -Previous 2 -Status Failed) | Should -HaveCount 1
    }

    It 'returns jobs that are equal where they are the same' {
        $known = Get-OBJob -Previous 2
        $again = Get-OBJob -Previous 1
        $known -contains $again | Should -BeTrue
        $known -notcontains $again | Should -BeFalse
        $again -eq $known[0] | Should -BeFalse
    }

    It 'returns jobs that arrive whole elsewhere' {
        $job = Get-OBJob -Previous 1
        $job | Export-Clixml "$work/job.xml"
        $arrived = Import-Clixml "$work/job.xml"
        "$($arrived.JobStatus.JobState)" | Should -Be Completed
        $arrived.JobStatus.DatasourceStatus[0].Datasource.DataSourceName | Should -Be $source
        $arrived.JobStatus.DatasourceStatus[0].ByteProgress.Progress | Should -Be 18
    }

    It 'needs -Previous for -Status' {
        Assert-BackupError (Get-ErrorOf { Get-OBJob -Status Failed }) ArgumentInvalid InvalidArgument '*-Previous*'
    }

    It 'says what published scripts read' {
        $job = Get-OBJob -Previous 2 -Status Successful
        "$($job.JobId.Guid)" | Should -Be "$($job.JobId)"
        $job.JobStatus.DatasourceStatus[0].ByteProgress.Progress | Should -Be 18
        $job.JobStatus.DatasourceStatus[0].FileProgress.Progress | Should -Be 2
        $job.JobStatus.StartTime.Kind | Should -Be Utc
        $job.JobStatus.EndTime.Kind | Should -Be Utc
    }
}
