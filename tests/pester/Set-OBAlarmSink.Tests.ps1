BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Set-OBAlarmSink' {
    BeforeAll {
        function Get-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }
    }

    It 'wants to be told something' {
        Assert-BackupError (Get-ErrorOf { Set-OBAlarmSink }) ArgumentInvalid InvalidArgument
        Get-OBAlarmSink | Should -BeNullOrEmpty
    }

    It 'sets each kind of place, and shows no secret' {
        $login = [pscredential]::new('watch', (Get-Secret 'hush-password'))
        $mail = Set-OBAlarmSink admins -MailServer 127.0.0.1 -Port 9 -Security None -From watch@example.com -To a@example.com, b@example.com -Credential $login
        $mail.Name, $mail.Kind, $mail.Where, $mail.ForBackups, $mail.RepeatHours, $mail.HeartbeatHours | Should -Be admins, Mail, 127.0.0.1, $false, 24, 168
        $null = Set-OBAlarmSink chat -WebhookUrl (Get-Secret 'https://hooks.example.com/hush-path') -Format Teams -ReportSuccess
        $null = Set-OBAlarmSink backups -HealthchecksUrl (Get-Secret 'https://hc-ping.com/hush-check') -ForBackups -SendLog
        $null = Set-OBAlarmSink pager -Command (Join-Path $TestDrive page) -ArgumentList one, 'two three'
        $null = Set-OBAlarmSink log -SystemLog

        $all = Get-OBAlarmSink
        $all.Name | Should -Be admins, chat, backups, pager, log
        $all.Kind | Should -Be Mail, Webhook, Healthchecks, Command, SystemLog
        $all.Where | Should -Be 127.0.0.1, hooks.example.com, hc-ping.com, (Join-Path $TestDrive page), ''
        $all.Where({ $_.ForBackups }).Name | Should -Be backups
        $all.Where({ $_.ReportSuccess }).Name | Should -Be chat
        $all | ConvertTo-Json | Should -Not -Match hush
        Get-ChildItem $env:MSONLINEBACKUP_STATE -Recurse -File | Get-Content -Raw | Should -Not -Match 'hush'
    }

    It 'is the same for obengine' {
        $lines = Invoke-Obengine alarm show --json | ConvertFrom-Json
        $lines[0..4].name | Should -Be admins, chat, backups, pager, log
        $lines[2].runs | Should -BeTrue
    }

    It 'changes a place by its name, and how often alarms are told' {
        $null = Set-OBAlarmSink PAGER -Command (Join-Path $TestDrive other)
        (Get-OBAlarmSink pager).Where | Should -Be (Join-Path $TestDrive other)
        Get-OBAlarmSink | Should -HaveCount 5
        (Set-OBAlarmSink -RepeatHours 0 -HeartbeatHours 12)[0].RepeatHours | Should -Be 0
        (Get-OBAlarmSink log).HeartbeatHours | Should -Be 12
    }

    It 'refuses what cannot be, and changes nothing' {
        $bad = Get-ErrorOf { Set-OBAlarmSink chat -WebhookUrl (Get-Secret 'hush://nowhere') }
        Assert-BackupError $bad AlarmSettingsInvalid InvalidData "*'chat'*no http*"
        "$bad" | Should -Not -Match hush
        (Get-OBAlarmSink chat).Where | Should -Be hooks.example.com
        Assert-BackupError (Get-ErrorOf { Set-OBAlarmSink -Path "$TestDrive/none.json" }) ArgumentInvalid InvalidArgument
    }

    It 'takes all from a file' {
        Set-Content "$TestDrive/alarms.json" '{ "sinks": [ { "kind": "SystemLog", "name": "only" } ] }'
        (Set-OBAlarmSink -Path "$TestDrive/alarms.json").Name | Should -Be only
        (Get-OBAlarmSink).Name | Should -Be only
    }
}
