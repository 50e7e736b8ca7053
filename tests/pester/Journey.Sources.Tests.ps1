BeforeDiscovery {
    $mayMount = $IsLinux -and (id -u) -eq 0
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = New-TestTree "$work/src"
    $null = New-TestTree "$work/data"
    $memory = "/dev/shm/ob-$(New-Guid)"
    if ($IsLinux) { $null = New-TestTree $memory }
}

AfterAll {
    $env:MSONLINEBACKUP_PROFILE = $null
    Remove-TestState
    if ($IsLinux) { Remove-Item -LiteralPath $memory -Recurse -Force }
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A source in memory' -Skip:(-not $IsLinux) {
    It 'is a warning of the job, of each way into one, until it is allowed' {
        $null = Save-TestPolicy "$work/src", $memory 3> $null
        $job = Start-OBBackup 6> $null 3> $null
        $job.JobStatus.JobState | Should -Be Completed
        @($job.JobStatus.Warnings -like "*'$memory' is held in memory*") | Should -HaveCount 1
        $job = Start-OBBackup -Async 6> $null 3> $null | Wait-OBJob
        @($job.JobStatus.Warnings -like "*'$memory' is held in memory*") | Should -HaveCount 1

        $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
        $done = Invoke-Obengine backup $memory --vault $vault --machine OTHER --json | ForEach-Object { $_ | ConvertFrom-Json } | Where-Object type -EQ summary
        $LASTEXITCODE | Should -Be 0
        $done.warnings | Should -BeLike '*held in memory*'
        $done = Invoke-Obengine backup $memory --vault $vault --machine OTHER --json --allow-source memory | ForEach-Object { $_ | ConvertFrom-Json } | Where-Object type -EQ summary
        $done.warnings | Should -BeNullOrEmpty

        $null = Set-OBMachineSetting -AllowSource Memory
        (Start-OBBackup 6> $null 3> $null).JobStatus.Warnings | Should -BeNullOrEmpty
        $null = Set-OBMachineSetting -AllowSource @()
    }
}

Describe 'A source on a read-only volume' -Skip:(-not $mayMount) {
    BeforeAll {
        $view = (New-Item -ItemType Directory "$work/view").FullName
        mount --bind -o ro "$work/data" $view
        $null = Save-TestPolicy "$work/src", $view 3> $null
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
    }

    AfterAll {
        $env:MSONLINEBACKUP_PROFILE = $null
        umount -l $view
    }

    It 'is refused by Set-OBPolicy under Mars, with -WhatIf too, and Add-OBFileSpec warns' {
        $draft = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $view) -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike "*'$view' is on a volume that is read-only*-AllowSource ReadOnly*"
        $null = Add-OBFileSpec (New-OBPolicy) (New-OBFileSpec $view) -WhatIf -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike '*read-only*'
        $draft = $draft | Set-OBSchedule -Schedule (New-OBSchedule) | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
        Assert-BackupError (Get-ErrorOf { Set-OBPolicy $draft }) SourceRefused InvalidOperation "*'$view'*read-only*Mars*"
        Assert-BackupError (Get-ErrorOf { Set-OBPolicy $draft -WhatIf }) SourceRefused InvalidOperation
    }

    It 'is lost to a backup by a policy from before, in the foreground, in the background and by the schedule' {
        $job = Start-OBBackup 6> $null 3> $null -ErrorAction SilentlyContinue -ErrorVariable lost
        $lost[0].FullyQualifiedErrorId | Should -BeLike 'SourceRefused,*'
        $job.JobStatus.DatasourceStatus.Where{ $_.Datasource.DataSourceName -eq $view }.JobState | Should -Be Failed
        $job.JobStatus.DatasourceStatus.Where{ $_.Datasource.DataSourceName -ne $view }.JobState | Should -Be Completed
        $job = Start-OBBackup -Async 6> $null 3> $null | Wait-OBJob -ErrorAction SilentlyContinue
        $job.JobStatus.DatasourceStatus.Where{ $_.Datasource.DataSourceName -eq $view }.JobState | Should -Be Failed
        Remove-Item "$env:MSONLINEBACKUP_STATE/schedule-files.json" -ErrorAction Ignore
        Invoke-Obengine schedule run --policy files 2>&1 | Out-String | Should -BeLike '*CompletedWithWarnings*'
        (Get-OBJob -Previous 1).JobStatus.DatasourceStatus.Where{ $_.Datasource.DataSourceName -eq $view }.JobState | Should -Be Failed
    }

    It 'is refused by obengine, also where it only looks, until it is allowed' {
        $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
        Invoke-Obengine backup $view --vault $vault --machine OTHER 2>&1 | Out-String | Should -BeLike '*SourceRefused*'
        $LASTEXITCODE | Should -Be 1
        Invoke-Obengine backup $view --vault $vault --machine OTHER --dry-run 2>&1 | Out-String | Should -BeLike '*SourceRefused*'
        Invoke-Obengine backup $view --vault $vault --machine OTHER --profile Open --quiet
        $LASTEXITCODE | Should -Be 0
        Invoke-Obengine backup $view --vault $vault --machine OTHER --allow-source ReadOnly --quiet
        $LASTEXITCODE | Should -Be 0
        Invoke-Obengine backup $view --vault $vault --allow-source floppy 2>&1 | Out-String | Should -BeLike "*'floppy'*readonly*"
    }

    It 'is taken once the machine allows it, and the policy can be saved' {
        $null = Set-OBMachineSetting -AllowSource ReadOnly
        (Start-OBBackup 6> $null 3> $null).JobStatus.DatasourceStatus.JobState | Should -Be @('Completed', 'Completed')
        { Get-OBPolicy | Set-OBPolicy } | Should -Not -Throw
        $null = Set-OBMachineSetting -AllowSource @()
    }

    It 'does not keep a policy from being paused' {
        $null = Get-OBPolicy | Set-OBPolicyState -State Paused
        (Get-OBPolicy).PolicyState | Should -Be Paused
    }
}
