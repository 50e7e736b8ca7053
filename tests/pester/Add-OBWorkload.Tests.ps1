BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Add-OBWorkload' {
    It 'adds a server to the draft, and returns the draft' {
        $policy = New-OBPolicy
        $returned = $policy | Add-OBWorkload -PostgreSql -Socket /run/postgresql
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $workload = $policy.Workloads
        $workload.Name, $workload.Kind, $workload.Socket, $workload.Port, $workload.User | Should -Be pg1, PostgreSql, /run/postgresql, 5432, ''
        $workload.FullEvery | Should -BeNullOrEmpty
        $policy.DsList.DataSourceName | Should -Be pg1
    }

    It 'takes several, and replaces one of the same name' {
        $policy = New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /a -Name one | Add-OBWorkload -PostgreSql -Socket /b -Name two -Port 5433 -User backup -FullEvery 02:00:00
        $null = $policy | Add-OBWorkload -PostgreSql -Socket /c -Name ONE
        $policy.Workloads.Name | Should -Be two, ONE
        $policy.Workloads[0].Port, $policy.Workloads[0].User, $policy.Workloads[0].FullEvery | Should -Be 5433, backup, ([timespan]'02:00:00')
        $policy.Workloads[1].Socket | Should -Be /c
    }

    It 'adds a MariaDB server by its socket' {
        $workload = (New-OBPolicy | Add-OBWorkload -MariaDb -Socket /run/mysqld/mysqld.sock -User obengine -OptionFile /etc/mysql/obengine.cnf).Workloads
        $workload.Name, $workload.Kind, $workload.Socket, $workload.Port | Should -Be maria1, MariaDb, /run/mysqld/mysqld.sock, 0
        $workload.User, $workload.OptionFile | Should -Be obengine, /etc/mysql/obengine.cnf
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -MariaDb -Socket mysqld.sock }) PolicyInvalid InvalidArgument '*absolute path*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -MariaDb -Socket /a -OptionFile my.cnf }) PolicyInvalid InvalidArgument '*absolute path*'
        { New-OBPolicy | Add-OBWorkload -MariaDb -Socket /a -Port 3306 } | Should -Throw
    }

    It 'adds a database of SQLite by its file' {
        $workload = (New-OBPolicy | Add-OBWorkload -Sqlite -DatabasePath /srv/app.db -Name app).Workloads
        $workload.Name, $workload.Kind, $workload.DatabasePath, $workload.Socket, $workload.FullEvery | Should -Be app, Sqlite, /srv/app.db, '', ([timespan]::Zero)
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -Sqlite -DatabasePath app.db }) PolicyInvalid InvalidArgument '*absolute path*'
    }

    It 'adds a SQL Server by its name and a folder' {
        $workload = (New-OBPolicy | Add-OBWorkload -SqlServer -Server 'localhost,1433' -BackupFolder /var/opt/mssql/backup -User obengine -OptionFile /etc/obengine-sql -FullEvery 1d).Workloads
        $workload.Name, $workload.Kind, $workload.Socket, $workload.BackupFolder, $workload.DatabasePath | Should -Be sql1, SqlServer, 'localhost,1433', /var/opt/mssql/backup, ''
        $workload.User, $workload.OptionFile, $workload.FullEvery | Should -Be obengine, /etc/obengine-sql, ([timespan]'1.00:00:00')
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -SqlServer -Server db.example.org -BackupFolder /a }) PolicyInvalid InvalidArgument '*this machine*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -SqlServer -Server localhost -BackupFolder a }) PolicyInvalid InvalidArgument '*absolute path*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -SqlServer -Server localhost -BackupFolder /a -User sa }) PolicyInvalid InvalidArgument '*password*'
    }

    It 'changes nothing with -WhatIf' { (New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /a -WhatIf).Workloads | Should -BeNullOrEmpty }

    It 'refuses what no server can have' {
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -PostgreSql -Socket run }) PolicyInvalid InvalidArgument '*absolute path*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /a -Name 'a b' }) PolicyInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /a -FullEvery 00:15 }) PolicyInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBWorkload -PostgreSql:$false -Socket /a }) ArgumentInvalid InvalidArgument
    }

    It 'refuses a draft for the system state' {
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBSystemState | Add-OBWorkload -PostgreSql -Socket /a }) PolicyInvalid InvalidArgument '*system state*'
    }
}
