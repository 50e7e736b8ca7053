# A database that is written to, found among what can be recovered, and recovered beside itself. Needs sqlite3.
BeforeDiscovery { $cannot = -not $IsLinux -or -not (Get-Command sqlite3 -ErrorAction Ignore) }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A database of SQLite' -Skip:$cannot {
    BeforeAll {
        $null = Initialize-TestMachine $work
        sqlite3 "$work/app.db" 'CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)'
        $policy = New-OBPolicy | Add-OBWorkload -Sqlite -DatabasePath "$work/app.db" -Name app
        $null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Saturday -EveryMinutes 15)
        $null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 30)
        $null = Set-OBPolicy $policy
        $null = Get-OBPolicy | Start-OBBackup 6> $null
        $between = Get-Date
        Start-Sleep -Milliseconds 20
        sqlite3 "$work/app.db" 'INSERT INTO t VALUES (2)'
        $null = Get-OBPolicy | Start-OBBackup 6> $null
    }

    It 'is recovered to the backup before a time' {
        $workload = Get-OBWorkload app
        $workload.Kind, $workload.FullBackups, $workload.Windows.Count, $workload.Databases | Should -Be Sqlite, 2, 2, app.db
        $workload.RecoverableFrom | Should -BeLessThan $between.ToUniversalTime()
        $null = Start-OBRecovery -Workload app -ToTime $between -TargetPath "$work/before" 6> $null
        sqlite3 "$work/before/app.db" 'SELECT count(*) FROM t' | Should -Be 1
        $null = Start-OBRecovery -Workload app -TargetPath "$work/latest" 6> $null
        sqlite3 "$work/latest/app.db" 'SELECT count(*) FROM t' | Should -Be 2
        (Get-ErrorOf { Start-OBRecovery -Workload app -ToTime $between.AddDays(-1) -TargetPath "$work/none" }).ErrorDetails.RecommendedAction | Should -BeLike 'Its first backup is of*'
    }

    It 'is an item of its recovery points' {
        (Get-OBRecoverableSource).RecoverySourceName | Should -Be app
        $points = Get-OBRecoverableSource | Get-OBRecoverableItem
        $points.Count | Should -Be 2
        (Get-OBRecoverableItem -Source app).RecoveryPointId | Should -Be $points.RecoveryPointId
        $database = $points | Sort-Object PointInTime | Select-Object -First 1 | Get-OBRecoverableItem | Select-Object -First 1
        $database.Name, $database.IsDir, $database.MountPointName, $database.ItemNameFriendly | Should -Be app.db, $false, app, app/app.db
        $null = Start-OBRecovery $database (New-OBRecoveryOption -DestinationPath "$work/item") 6> $null
        sqlite3 "$work/item/app.db" 'SELECT count(*) FROM t' | Should -Be 1
        $record = Get-ErrorOf { Start-OBRecovery $database }
        Assert-BackupError $record RecoveryOptionMissing InvalidArgument
        $record.ErrorDetails.RecommendedAction | Should -BeLike '*Start-OBRecovery -Workload*'
    }
}
