# A watcher tells what it finds: by real requests to a server on this machine, and by a real program.
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $vault = Initialize-TestMachine $TestDrive
    $null = Save-TestPolicy (New-TestTree "$TestDrive/src") 3> $null
    $null = Invoke-TestBackup
    $credential = (Export-OBMonitoringCredential "$TestDrive/office.MonitoringCredential").FullName
    $own = $env:MSONLINEBACKUP_STATE

    # A port that is free: the listener wants to be told one.
    $free = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $free.Start()
    $address = "http://127.0.0.1:$($free.LocalEndpoint.Port)/"
    $free.Stop()
    $web = [System.Net.HttpListener]::new()
    $web.Prefixes.Add($address)
    $web.Start()
    $requests = [System.Collections.Concurrent.ConcurrentQueue[object]]::new()
    $server = Start-ThreadJob -ArgumentList $web, $requests {
        param($Web, $Requests)
        while ($Web.IsListening) {
            try { $context = $Web.GetContext() } catch [System.Net.HttpListenerException] { break }
            $body = [System.IO.StreamReader]::new($context.Request.InputStream).ReadToEnd()
            $Requests.Enqueue([pscustomobject]@{ Path = $context.Request.Url.PathAndQuery; Body = $body })
            $context.Response.Close()
        }
    }

    function Get-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }

    # Looks once, as a timer would; returns what came by the web, and what the program wrote.
    function Invoke-Look {
        $told = (Test-Path "$TestDrive/told.txt") ? @(Get-Content "$TestDrive/told.txt").Count : 0
        Invoke-Obengine watch $vault --monitoring-credential $credential --json @args | Out-Null
        $came = [System.Collections.Generic.List[object]]::new()
        $request = $null
        while ($requests.TryDequeue([ref] $request)) { $came.Add($request) }
        [pscustomobject]@{
            Exit    = $LASTEXITCODE
            Web     = $came
            Program = @(Get-Content "$TestDrive/told.txt" -ErrorAction Ignore | Select-Object -Skip $told)
        }
    }
}

AfterAll {
    $env:MSONLINEBACKUP_STATE = $own
    $web.Close()
    $server | Wait-Job | Remove-Job
    Remove-TestState
}

Describe 'Alarms of a watcher' -Skip:$IsWindows {
    It 'go where the watcher was told' {
        $env:MSONLINEBACKUP_STATE = "$TestDrive/watcher"
        $script = New-Item "$TestDrive/on-alarm" -Value "#!/bin/sh`necho `"`$OB_ALARM_KIND `$OB_ALARM_STATE`" >> '$TestDrive/told.txt'`n"
        chmod 700 $script
        $null = Set-OBAlarmSink all -WebhookUrl (Get-Secret "${address}json")
        $null = Set-OBAlarmSink chat -WebhookUrl (Get-Secret "${address}slack") -Format Slack
        $null = Set-OBAlarmSink team -WebhookUrl (Get-Secret "${address}teams") -Format Teams
        $null = Set-OBAlarmSink watcher -HealthchecksUrl (Get-Secret "${address}ping")
        $null = Set-OBAlarmSink pager -Command $script.FullName

        Test-OBAlarmSink | Where-Object IsDelivered -EQ $false | Should -BeNullOrEmpty
        Get-Content "$TestDrive/told.txt" | Should -Be 'Test '
        $requests.Path | Should -Be /json, /slack, /teams, /ping/log
        $requests.Clear()
    }

    It 'are none where all is well, but that the watcher lives' {
        $look = Invoke-Look
        $look.Exit | Should -Be 0
        $look.Program | Should -Be 'Heartbeat '
        $look.Web.Path | Should -Be /json, /slack, /teams, /ping
        ($look.Web[0].Body | ConvertFrom-Json).messages.kind | Should -Be Heartbeat
        $look.Web[3].Body | Should -BeNullOrEmpty
    }

    It 'come once' {
        $look = Invoke-Look --max-age 1s
        $look.Exit | Should -Be 1
        $look.Program | Should -Be 'Raised Late'
        $look.Web.Path | Should -Be /json, /slack, /teams, /ping/fail
        $message = ($look.Web[0].Body | ConvertFrom-Json).messages
        $message.kind, $message.state, $message.policy, $message.alarm | Should -Be Raised, Late, files, BackupLate
        ($look.Web[1].Body | ConvertFrom-Json).text | Should -BeLike 'Late: *(files)*'
        ($look.Web[2].Body | ConvertFrom-Json).attachments[0].content.body[0].text | Should -BeLike 'Late: *(files)'

        $look = Invoke-Look --max-age 1s
        $look.Exit | Should -Be 1
        $look.Program | Should -BeNullOrEmpty
        $look.Web.Path | Should -Be /ping/fail
    }

    It 'are taken back once' {
        $look = Invoke-Look
        $look.Exit | Should -Be 0
        $look.Program | Should -Be 'Resolved Ok'
        $look.Web.Path | Should -Be /json, /slack, /teams, /ping
        $look = Invoke-Look
        $look.Program | Should -BeNullOrEmpty
        $look.Web.Path | Should -Be /ping
    }

    It 'say again after its time that the watcher lives' {
        $null = Set-OBAlarmSink -HeartbeatHours 2
        $memory = Get-Item "$TestDrive/watcher/watch-*.json"
        $told = Get-Content $memory -Raw | ConvertFrom-Json -DateKind Offset
        foreach ($sink in $told.content.sinks.PSObject.Properties.Value) { $sink.alive = $sink.alive.AddHours(-3) }
        $told | ConvertTo-Json -Depth 9 | Set-Content $memory
        (Invoke-Look).Program | Should -Be 'Heartbeat '
        (Invoke-Look).Program | Should -BeNullOrEmpty
    }

    It 'are for the backups of a machine, too' {
        $env:MSONLINEBACKUP_STATE = $own
        $null = Set-OBAlarmSink backups -HealthchecksUrl (Get-Secret "${address}runs") -ForBackups
        $job = Get-OBPolicy | Start-OBBackup -Scheduled 6> $null
        $requests.Path | Should -Be "/runs/start?rid=$($job.JobId)", "/runs?rid=$($job.JobId)"
    }
}
