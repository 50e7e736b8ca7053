BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    $data = (New-Item -ItemType Directory -Path "$TestDrive/data").FullName
    function New-TestPolicy {
        New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $data) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
    }
}
AfterAll { Remove-TestState }

Describe 'Set-OBPolicy' {
    BeforeEach { Get-OBPolicy | Remove-OBPolicy | Out-Null }

    It 'saves the draft, which is a saved policy from then on' {
        $draft = New-TestPolicy
        $saved = Set-OBPolicy -Policy $draft
        [object]::ReferenceEquals($saved, $draft) | Should -BeTrue
        $draft.State | Should -Be Existing
        [guid]::Parse($draft.PolicyName) | Should -Not -Be ([guid]::Empty)
        $draft.DsList[0].DataSourceId | Should -BeGreaterThan 0
        $draft.BackupSchedule.State | Should -Be Existing
        (Get-OBPolicy).PolicyName | Should -Be $draft.PolicyName
    }

    It 'keeps the name when a saved policy is saved again' {
        $name = (New-TestPolicy | Set-OBPolicy).PolicyName
        $policy = Get-OBPolicy
        $policy.RetentionPolicy.RetentionDays = 60
        (Set-OBPolicy $policy).PolicyName | Should -Be $name
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 60
    }

    It 'says where no scheduler of the system is used what is to be run' {
        $null = New-TestPolicy | Set-OBPolicy -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike '*This schedule does not run by itself*each hour*obengine.ps1 schedule run --policy files*'
        "$said" | Should -BeLike "*$shell -NoProfile*"
        $null = New-TestPolicy | Set-OBSchedule -Schedule (New-OBSchedule -EveryMinutes 15) | Set-OBPolicy -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike '*at the minutes 0, 15, 30, 45 of each hour*'
    }

    It 'warns of a source that lies in memory' -Skip:(-not $IsLinux) {
        $memory = (New-Item -ItemType Directory -Path "/dev/shm/ob-$(New-Guid)").FullName
        try {
            $draft = New-TestPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $memory)
            Set-OBPolicy $draft -WhatIf -WarningVariable said -WarningAction SilentlyContinue
            "$said" | Should -BeLike "*'$memory' is held in memory*"
            $null = Set-OBPolicy $draft -WarningVariable said -WarningAction SilentlyContinue
            "$said" | Should -BeLike "*'$memory' is held in memory*"
        }
        finally {
            Remove-Item $memory -Recurse
        }
    }

    It 'keeps the number of a source when others come and go' {
        $null = New-Item -ItemType Directory "$TestDrive/beside", "$TestDrive/later" -Force
        $draft = New-TestPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$TestDrive/beside")
        $before = (Set-OBPolicy $draft -WarningAction SilentlyContinue).DsList | Where-Object DataSourceName -EQ (New-OBFileSpec "$TestDrive/beside").FileSpec
        $changed = Get-OBPolicy | Remove-OBFileSpec -FileSpec (New-OBFileSpec $data) | Add-OBFileSpec -FileSpec (New-OBFileSpec "$TestDrive/later")
        $after = (Set-OBPolicy $changed -WarningAction SilentlyContinue).DsList
        $after[0].DataSourceId | Should -Be $before.DataSourceId
        $after[1].DataSourceId | Should -Not -Be $before.DataSourceId
    }

    It 'saves nothing with -WhatIf' {
        New-TestPolicy | Set-OBPolicy -WhatIf | Should -BeNullOrEmpty
        Get-OBPolicy | Should -BeNullOrEmpty
    }

    It 'refuses a policy <Lacking>' -TestCases @(
        @{ Lacking = 'without sources'; Change = { $_ | Remove-OBFileSpec -FileSpec (New-OBFileSpec $data) }; Id = 'PolicyIncomplete' }
        @{ Lacking = 'without a schedule'; Change = { $_.BackupSchedule = $null }; Id = 'PolicyIncomplete' }
        @{ Lacking = 'whose days a script has set to null'; Change = { $_.BackupSchedule.ScheduleRunDays = $null }; Id = 'PolicyIncomplete' }
        @{ Lacking = 'without a retention'; Change = { $_.RetentionPolicy = $null }; Id = 'PolicyIncomplete' }
        @{ Lacking = 'with sources that overlap'; Change = { $null = New-Item -ItemType Directory "$data/in" -Force; $_ | Add-OBFileSpec -FileSpec (New-OBFileSpec "$data/in") }; Id = 'PolicyInvalid' }
        @{ Lacking = 'with a source that is left out itself'; Change = { $_ | Add-OBFileSpec -FileSpec (New-OBFileSpec $data -Exclude) }; Id = 'PolicyInvalid' }
        @{ Lacking = 'with a path that is not there'; Change = { $_ | Add-OBFileSpec -FileSpec (New-OBFileSpec "$data-not-there") }; Id = 'SourceNotFound' }
        @{ Lacking = 'for the system state'; Change = { $_ | Remove-OBFileSpec -FileSpec (New-OBFileSpec $data) | Add-OBSystemState }; Id = 'PolicyInvalid' }
    ) {
        $draft = New-TestPolicy
        $null = $draft | ForEach-Object $Change
        $err = Get-ErrorOf { $draft | Set-OBPolicy }
        $err.FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $err.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Get-OBPolicy | Should -BeNullOrEmpty
    }

    It 'refuses by the profile Mars what a script assigned to the draft: <What>' -TestCases @(
        @{ What = 'four times a day'; Assign = { $_.BackupSchedule.ScheduleRunTimes = [timespan[]] ('6:00', '12:00', '18:00', '23:00') }; Says = "*'times of day'*4*1 to 3*" }
        @{ What = 'six days of retention'; Assign = { $_.RetentionPolicy.RetentionDays = 6 }; Says = "*'daily retention'*6*7 to 9,999 days*0x29834*" }
        @{ What = 'ten thousand days of retention'; Assign = { $_.RetentionPolicy.RetentionDays = 10000 }; Says = "*'daily retention'*10,000*7 to 9,999 days*" }
    ) {
        $draft = New-TestPolicy
        $draft | ForEach-Object $Assign
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        try { Assert-BackupError (Get-ErrorOf { Set-OBPolicy $draft }) PolicyLimitExceeded LimitsExceeded $Says }
        finally { $env:MSONLINEBACKUP_PROFILE = $null }
        Get-OBPolicy | Should -BeNullOrEmpty
    }

    It 'refuses a machine that is not registered' {
        $state = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$TestDrive/new-state" -Force).FullName
        try {
            Assert-BackupError (Get-ErrorOf { New-TestPolicy | Set-OBPolicy }) MachineNotRegistered InvalidOperation
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $state
        }
    }
}

Describe 'Set-OBPolicy in a session where nobody answers' {
    It 'asks first, and saves nothing' {
        $result = & $shell -NoProfile -NonInteractive -Command "
            Import-Module '$manifest'
            `$policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec '$data')
            `$policy.BackupSchedule = New-OBSchedule
            `$policy.RetentionPolicy = New-OBRetentionPolicy 30
            try { Set-OBPolicy `$policy } catch { `$_.FullyQualifiedErrorId }"
        $result | Should -Be 'InvalidOperation,MSOnlineBackup.Cmdlets.SetOBPolicyCommand'
    }
}
