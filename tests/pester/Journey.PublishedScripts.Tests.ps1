# Scripts as they are published for the original, with nothing changed but the paths (and the credential file, which is made here).
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $c = New-TestTree "$work/C"
    $d = New-TestTree "$work/D"
    $credsFilename = (New-OBVault -Path "$work/vault" | Export-OBVaultCredential -Path $work).FullName
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Published scripts' {
    It 'set a server up' {
        . {
            Start-OBRegistration -VaultCredentials $credsFilename -Confirm:$false
            Set-OBMachineSetting -NoProxy
            Set-OBMachineSetting -NoThrottle
            $ConvertedPassphrase = ConvertTo-SecureString -String "Complex!123_STRING" -AsPlainText -Force
            Set-OBMachineSetting -EncryptionPassphrase $ConvertedPassphrase -SecurityPin "123456"
            $mon = [System.DayOfWeek]::Monday
            $tue = [System.DayOfWeek]::Tuesday
            Set-OBMachineSetting -WorkDay $mon, $tue -StartWorkHour "9:00:00" -EndWorkHour "18:00:00" -WorkHourBandwidth (512*1024) -NonWorkHourBandwidth (2048*1024)
            Set-OBMachineSetting -WorkDay "Mo", "Tu" -StartWorkHour "9:00:00" -EndWorkHour "18:00:00" -WorkHourBandwidth (512*1024) -NonWorkHourBandwidth (2048*1024)

            $NewPolicy = New-OBPolicy
            $Schedule = New-OBSchedule -DaysOfWeek Saturday, Sunday -TimesOfDay 16:00
            Set-OBSchedule -Policy $NewPolicy -Schedule $Schedule
            $RetentionPolicy = New-OBRetentionPolicy -RetentionDays 7
            Set-OBRetentionPolicy -Policy $NewPolicy -RetentionPolicy $RetentionPolicy
            $Inclusions = New-OBFileSpec -FileSpec @($c, $d)
            $Exclusions = New-OBFileSpec -FileSpec @("$d/sub") -Exclude
            Add-OBFileSpec -Policy $NewPolicy -FileSpec $Inclusions
            Add-OBFileSpec -Policy $NewPolicy -FileSpec $Exclusions
            Set-OBPolicy -Policy $NewPolicy -Confirm:$false
            Get-OBPolicy | Start-OBBackup
        } 6> $null | Out-Null

        $setting = Get-OBMachineSetting
        $setting.EncryptionSetting.EncryptionKeyStatus | Should -Be Set
        $setting.ProxySetting.Enabled | Should -BeFalse
        $setting.ThrottleSetting.WorkDay | Should -Be Monday, Tuesday
        $setting.ThrottleSetting.WorkHourBandwidth | Should -Be 524288
        $saved = Get-OBPolicy
        $saved.BackupSchedule.ScheduleRunDaysToString() | Should -Be 'Saturday, Sunday'
        $saved.DsList.DataSourceName | Should -Be $c, $d
        $saved.DsList.DataSourceId | Sort-Object -Unique | Should -HaveCount 2
    }

    It 'change the schedule of a policy by assignment' {
        $p = Get-OBPolicy
        $s = New-OBSchedule -DaysOfWeek Monday -TimesOfDay '17:30'
        $p.BackupSchedule = $s
        Set-OBPolicy -Policy $p -Confirm:$false | Out-Null

        "$((Get-OBPolicy | Get-OBSchedule))" | Should -Be "5:30 PM`nMonday,`nEvery week"
    }

    It 'watch jobs' {
        $report = foreach ($job in Get-OBJob -Previous 5) {
            [pscustomobject]@{
                Id       = $job.JobId.Guid
                Type     = "$($job.JobType)"
                State    = "$($job.JobStatus.JobState)"
                Start    = $job.JobStatus.StartTime
                Duration = $job.JobStatus.EndTime - $job.JobStatus.StartTime
                Bytes    = $job.JobStatus.DatasourceStatus[0].ByteProgress.Progress
                Files    = $job.JobStatus.DatasourceStatus.FileProgress.Total
                Code     = $job.JobStatus.ErrorInfo.ErrorCode
                Source   = $job.JobStatus.DatasourceStatus[1].ErrorInfo.ErrorCode
            }
        }

        $report | Should -HaveCount 1
        $report.Id | Should -Match '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        $report.Type, $report.State | Should -Be Backup, Completed
        $report.Start.Kind | Should -Be Utc
        $report.Duration | Should -BeGreaterThan ([timespan]::Zero)
        $report.Bytes | Should -Be 18
        $report.Files | Should -Be 2, 1
        $report.Code, $report.Source | Should -Be 0, 0
        (Get-OBAllRecoveryPoints | Sort-Object BackupTime -Descending)[0].BackupTime | Should -BeGreaterOrEqual $report.Start.AddSeconds(-1)
        (Get-OBMachineUsage).StorageUsedByMachineInBytes | Should -BeGreaterThan 0
    }

    It 'find a file and bring it back' {
        $source = Get-OBRecoverableSource
        $rps = Get-OBRecoverableItem -Source $source[0]
        $context = New-OBPagingContext
        $folders = Get-OBRecoverableItem -ParentItem $rps[0] -PagingContext $context | Where-Object IsDir
        $files = Get-OBRecoverableItem -ParentItem $folders[0]
        $item = Get-OBRecoverableItem -RecoveryPoint $rps[0] -Location $c -SearchString '*.txt' | Where-Object Name -EQ a.txt
        $recover_option = New-OBRecoveryOption -DestinationPath "$work/back" -OverwriteType Skip
        Start-OBRecovery -RecoverableItem $item -RecoveryOption $recover_option 6> $null | Out-Null

        $files.ItemNameFriendly | Should -Be "$c/sub/b.txt"
        Get-OBRecoverableItem -ParentItem $rps[0] -PagingContext $context | Should -BeNullOrEmpty
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
    }

    It 'tell with -Verbose what a backup did' {
        $said = Get-OBPolicy | Start-OBBackup -Verbose 4>&1 6> $null | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] } | Out-String

        $said | Should -BeLike "*${c}: 2 files, 18 B;*New to the vault: 0 B.*took*"
    }
}
