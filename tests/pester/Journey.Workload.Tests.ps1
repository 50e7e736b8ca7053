# A server that is backed up, and recovered beside itself. Needs PostgreSQL, and root to run it as another account.
BeforeDiscovery {
    $program = @(Get-ChildItem '/usr/lib/postgresql/*/bin/initdb' -ErrorAction Ignore)
    $cannot = -not $IsLinux -or $program.Count -eq 0 -or [Environment]::UserName -ne 'root' -or -not (Get-Command setpriv -ErrorAction Ignore)
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $programs = Get-ChildItem '/usr/lib/postgresql/*/bin' -ErrorAction Ignore | Select-Object -Last 1

    # Without parameters of its own: all that follows is the program's.
    function Invoke-Server {
        $rest = @($args | Select-Object -Skip 1)
        setpriv --reuid nobody --regid nogroup --clear-groups "$programs/$($args[0])" @rest
    }

    function Get-Answer([int] $Port, [string] $Question) { Invoke-Server psql -XAtw -h $place -p $Port -U postgres -d postgres -c $Question }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A workload' -Skip:$cannot {
    BeforeAll {
        chmod 711 $work
        $place = (New-Item -ItemType Directory "$work/pg").FullName
        chown nobody $place
        $null = Invoke-Server initdb -D "$place/main" -A trust -U postgres --no-sync
        $null = Invoke-Server pg_ctl -D "$place/main" -w -s -l "$place/log" -o "-k $place -c listen_addresses= -c fsync=off" start
        $null = Initialize-TestMachine $work
        $policy = New-OBPolicy | Add-OBWorkload -PostgreSql -Socket $place -User postgres -Name pg1
        $null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Saturday -EveryMinutes 15)
        $null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 30)
        $null = Set-OBPolicy $policy
    }

    AfterAll { $null = Invoke-Server pg_ctl -D "$place/main" -w -s -m immediate stop }

    It 'is recovered to a time between two of its commits' {
        $job = Get-OBPolicy | Start-OBBackup 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        $null = Get-Answer 5432 'CREATE TABLE t AS SELECT 1 AS i'
        $between = [datetime]::Parse((Get-Answer 5432 'SELECT now()'))
        Start-Sleep -Milliseconds 20
        $null = Get-Answer 5432 'INSERT INTO t VALUES (2)'
        $null = Get-OBPolicy | Start-OBBackup -Volumes pg1 6> $null

        $workload = Get-OBWorkload pg1
        $workload.FullBackups, $workload.Windows.Count | Should -Be 1, 1
        $workload.Databases | Should -Be postgres, template1
        $workload.RecoverableTo | Should -BeGreaterThan $between.ToUniversalTime()
        $points = Get-OBAllRecoveryPoints
        $points.WorkloadPart | Should -Be Log, Log, Full
        $points[0].Workload | Should -Be pg1
        $points[2].Databases | Should -Contain postgres

        (Start-OBRecovery -Workload pg1 -TargetPath "$place/none" -WhatIf) | Should -BeNullOrEmpty
        $job = Start-OBRecovery -Workload pg1 -ToTime $between -TargetPath "$place/recovered" 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        $null = Invoke-Server pg_ctl -D "$place/recovered" -w -s -l "$place/log2" -o "-p 5433 -k $place -c listen_addresses= -c fsync=off" start
        try {
            while ((Get-Answer 5433 'SELECT pg_is_in_recovery()') -ne 'f') { Start-Sleep -Milliseconds 50 }
            Get-Answer 5433 'SELECT i FROM t' | Should -Be 1
        }
        finally { $null = Invoke-Server pg_ctl -D "$place/recovered" -w -s -m immediate stop }
        Get-Answer 5432 'SELECT count(*) FROM t' | Should -Be 2
    }

    It 'refuses a time outside, a target that is not empty, and another name' {
        $record = Get-ErrorOf { Start-OBRecovery -Workload pg1 -ToTime ([datetime]::Now.AddYears(-1)) -TargetPath "$place/outside" }
        Assert-BackupError $record WorkloadTimeOutside InvalidArgument
        $record.ErrorDetails.RecommendedAction | Should -BeLike 'It can be recovered to any time from*'
        Assert-BackupError (Get-ErrorOf { Start-OBRecovery -Workload pg1 -TargetPath "$place/recovered" }) WorkloadTargetNotEmpty ResourceExists
        Assert-BackupError (Get-ErrorOf { Start-OBRecovery -Workload pg2 -TargetPath "$place/outside" }) WorkloadNotFound ObjectNotFound
        Test-Path "$place/outside" | Should -BeFalse
    }
}
