BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBNotification' {
    It 'names the step that is missing' {
        (Get-OBNotification).ErrorId | Should -Be MachineNotRegistered
        $null = Initialize-TestMachine $TestDrive
        (Get-OBNotification).ErrorId | Should -Be PolicyNotFound
    }

    It 'says that nothing runs the schedule until something does' {
        . "$PSScriptRoot/Recovery.ps1"
        $source = New-TestTree "$TestDrive/src"
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec -FileSpec $source)
        $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30)

        # Five minutes ago, on the day that it was then.
        $due = (Get-Date).AddMinutes(-5)
        $null = Set-OBSchedule -Policy $policy -Schedule (New-OBSchedule -DaysOfWeek $due.DayOfWeek -TimesOfDay $due.ToString('HH:mm', [cultureinfo]::InvariantCulture))
        $null = Set-OBPolicy -Policy $policy -WarningAction SilentlyContinue
        (Get-OBNotification).Message | Should -BeLike '*Nothing runs the schedule*'
        (Get-OBNotification).RecommendedAction | Should -BeLike '*schedule run --policy files*'

        $null = Invoke-TestBackup
        Get-OBNotification | Should -BeNullOrEmpty
    }

    It 'tells of a retention that was shortened, with both figures, until the owner releases it' {
        $policy = Get-OBPolicy
        $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 9)
        $null = Set-OBPolicy -Policy $policy -WarningAction SilentlyContinue -WarningVariable warnings
        "$warnings" | Should -BeLike '*kept every point for 30 days, and keeps every point for 9 days*'

        $alarm = Get-OBNotification
        $alarm.ErrorId, $alarm.Severity | Should -Be RetentionShortened, Warning
        $alarm.Message | Should -BeLike '*kept every point for 30 days, and keeps every point for 9 days*'
        $alarm.RecommendedAction | Should -BeLike '*Set-OBVault -ReleaseBrake*'
        $null = Set-OBVault "$TestDrive/vault" -ReleaseBrake ($env:MSONLINEBACKUP_MACHINE ?? [Environment]::MachineName)
        Get-OBNotification | Should -BeNullOrEmpty
    }

    It 'says that the vault cannot be asked, and tells the rest' {
        Rename-Item "$TestDrive/vault" elsewhere
        try {
            $told = (Get-OBNotification).Message
        } finally {
            Rename-Item "$TestDrive/elsewhere" vault
        }

        # Whether what this machine knows of itself was released only the vault can say.
        $told | Should -HaveCount 2
        $told[0] | Should -BeLike 'The retention of the policy for folders and files was shortened*'
        $told[1] | Should -BeLike 'What the vault has to tell is not known: *'
        Get-OBNotification | Should -BeNullOrEmpty
    }

    It 'tells of a failed backup of files though one of the system state succeeded after it' {
        $jobs = Join-Path $env:MSONLINEBACKUP_STATE jobs
        $record = Get-Content (Get-ChildItem $jobs -Recurse -Filter job.json).FullName -Raw | ConvertFrom-Json -AsHashtable
        $save = {
            $record.job.id = "$(New-Guid)"
            $null = New-Item -ItemType Directory -Path "$jobs/$($record.job.id)"
            $record | ConvertTo-Json -Depth 10 | Set-Content "$jobs/$($record.job.id)/job.json"
        }
        $begun = [datetimeoffset] $record.job.started
        $record.job.state = 'Failed'
        $record.job.error = @{ id = 'VaultFull'; message = 'No room.'; recommendedAction = 'Free room.' }
        $record.job.started = $begun.AddHours(1).ToString('o')
        & $save
        $record.job.state = 'Completed'
        $record.job.Remove('error')
        $record.job.started = $begun.AddHours(2).ToString('o')
        $record.job.sources[0].name = 'System State'
        & $save
        (Get-OBNotification).Message | Should -Be 'The last backup failed: No room.'
        (Get-OBNotification).ErrorId | Should -Be VaultFull
    }
}
