BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
}

AfterAll {
    $env:MSONLINEBACKUP_SYSTEM_LOG = 'None'
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'What is told of jobs' {
    It 'keeps figures for Prometheus, also of a job in the background' {
        $null = New-Item -ItemType Directory "$work/metrics"
        Set-OBMachineSetting -MetricsFile "$work/metrics/ob.prom" -WhatIf
        (Get-OBMachineSetting).MetricsFile | Should -BeNullOrEmpty
        $null = Set-OBMachineSetting -MetricsFile "$work/metrics/ob.prom"
        (Get-OBMachineSetting).MetricsFile | Should -Be "$work/metrics/ob.prom"

        $null = Invoke-TestBackup
        $first = Get-Content "$work/metrics/ob.prom" -Raw
        $first | Should -Match '(?m)^msonlinebackup_backup_status\{machine="[^"]+",policy="files"\} 2$'
        $first | Should -Match "(?m)^msonlinebackup_source_status\{.*,source=""$([regex]::Escape($source))""\} 2$"

        $job = Get-OBPolicy | Start-OBBackup -Async
        $null = Wait-OBJob -Job $job
        Get-Content "$work/metrics/ob.prom" -Raw | Should -Not -Be $first
        (Get-OBJob -Previous 1 | Get-OBJobLog)[-1].Event | Should -Be Ended
        Get-ChildItem "$work/metrics" -Force | Should -HaveCount 1

        $null = Set-OBMachineSetting -MetricsFile ''
        (Get-OBMachineSetting).MetricsFile | Should -BeNullOrEmpty
    }

    It 'refuses a file that no collector reads' {
        Assert-BackupError (Get-ErrorOf { Set-OBMachineSetting -MetricsFile "$work/metrics/ob.txt" }) ArgumentInvalid InvalidArgument
    }

    It 'tells the system''s log of beginnings and ends, unless it is switched off' -Skip:$IsWindows {
        $socket = [System.Net.Sockets.Socket]::new('Unix', 'Dgram', 'Unspecified')
        try {
            $socket.ReceiveTimeout = 30000
            $socket.Bind([System.Net.Sockets.UnixDomainSocketEndPoint]::new("$work/log"))
            $env:MSONLINEBACKUP_SYSTEM_LOG = "$work/log"
            $buffer = [byte[]]::new(65536)

            $job = Invoke-TestBackup
            [System.Text.Encoding]::UTF8.GetString($buffer, 0, $socket.Receive($buffer)) | Should -Match "^<30>.* msonlinebackup\[\d+\]: Backup of .* began\. event=100 job=$($job.JobId) "
            [System.Text.Encoding]::UTF8.GetString($buffer, 0, $socket.Receive($buffer)) | Should -Match " completed\. event=101 job=$($job.JobId) "

            $null = Set-OBMachineSetting -SystemLog Off
            (Get-OBMachineSetting).SystemLogSetting | Should -Be Off
            $null = Invoke-TestBackup
            $socket.Available | Should -Be 0
        }
        finally {
            $socket.Dispose()
        }

        $null = Set-OBMachineSetting -SystemLog Auto
        (Invoke-TestBackup 3> $null).JobStatus.Warnings | Should -HaveCount 2
    }
}
