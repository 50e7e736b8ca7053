BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"

    . "$PSScriptRoot/Crontab.ps1"
    function Get-Check([string] $Id) { Test-OBSchedule | Where-Object { $_.Policy -like '*file*' -and $_.Id -eq $Id } }
}

AfterAll {
    Remove-TestCrontab
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Test-OBSchedule' -Skip:(-not $IsLinux) {
    It 'says with -WhatIf that the schedule would be registered, and registers it with the policy' {
        Set-Content "$work/crontab" '5 4 * * * /usr/bin/theirs'
        $draft = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $source) |
            Set-OBSchedule -Schedule (New-OBSchedule -TimesOfDay '21:10') | Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
        $said = & $shell -NoProfile -NonInteractive -Command "
            Import-Module '$manifest'
            New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec '$source') | Set-OBSchedule -Schedule (New-OBSchedule) |
                Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy -WhatIf" | Out-String
        $said | Should -BeLike '*Its schedule is registered with cron*'
        Get-Content "$work/crontab" | Should -HaveCount 1
        $null = Set-OBPolicy $draft -WarningVariable said
        $said | Should -BeNullOrEmpty
        (Get-Content "$work/crontab")[0] | Should -Be '5 4 * * * /usr/bin/theirs'
        (Get-Content "$work/crontab")[1] | Should -BeLike "10 * * * * '$shell' '-NoProfile' '-NonInteractive' '-File' '*obengine.ps1' 'schedule' 'run' '--policy' 'files' '--state' '$env:MSONLINEBACKUP_STATE' '--quiet'* # msonlinebackup-files-????????"
        (Get-Check Registered).Result | Should -Be Pass
    }

    It 'sees a line that somebody has <What>' -TestCases @(
        @{ What = 'deleted'; Harm = { Set-Content "$work/crontab" $_[0] } }
        @{ What = 'commented out'; Harm = { Set-Content "$work/crontab" $_[0], "# $($_[1])" } }
        @{ What = 'changed'; Harm = { Set-Content "$work/crontab" $_[0], "0 0 1 1 * $($_[1].Split(' ', 6)[5])" } }
    ) {
        $before = Get-Content "$work/crontab"
        , $before | ForEach-Object $Harm
        $failed = Get-Check Registered
        $failed.Result | Should -Be Fail
        $failed.Cause, $failed.Fix | Should -Not -BeNullOrEmpty
        (Get-OBNotification).ErrorId | Should -Contain ScheduleNotRegistered
        Set-Content "$work/crontab" $before
        (Get-Check Registered).Result | Should -Be Pass
    }

    It 'runs without a profile, a module path, or a variable, and makes the backup that is due' {
        # Nothing is on record any more: then the last time counts as not done.
        Remove-Item "$env:MSONLINEBACKUP_STATE/schedule-files.json"
        $command = (Get-Content "$work/crontab")[1].Split(' ', 6)[5]
        $null = & env -i "HOME=$HOME" "DOTNET_ROOT=$env:DOTNET_ROOT" /bin/sh -c $command
        $LASTEXITCODE | Should -Be 0
        (Get-OBJob -Previous 9) | Should -HaveCount 1
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
        $null = & env -i "HOME=$HOME" "DOTNET_ROOT=$env:DOTNET_ROOT" /bin/sh -c $command
        (Get-OBJob -Previous 9) | Should -HaveCount 1
    }

    It 'has no line while the policy is paused, and one when it is resumed' {
        $null = Get-OBPolicy | Set-OBPolicyState -State Paused
        Get-Content "$work/crontab" | Should -HaveCount 1
        (Get-Check Registered).Result | Should -Be NotApplicable
        $null = Get-OBPolicy | Set-OBPolicyState -State Valid
        Get-Content "$work/crontab" | Should -HaveCount 2
    }

    It 'says an error where the crontab is refused, and saves the policy' {
        $policy = Get-OBPolicy
        $policy.RetentionPolicy.RetentionDays = 77
        $env:PATH = $path -split ':' | Where-Object { -not (Test-Path "$_/crontab") } | Join-String -Separator ':'
        try {
            $null = Set-OBPolicy $policy -ErrorAction SilentlyContinue -ErrorVariable failed
        }
        finally {
            $env:PATH = "$work/bin:$path"
        }

        if (-not (Test-Path /usr/bin/crontab)) { $failed[0].FullyQualifiedErrorId | Should -BeLike 'SchedulerUnavailable,*' }
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 77
    }

    It 'leaves nothing behind with <What>' -TestCases @(
        @{ What = 'the policy'; End = { Get-OBPolicy | Remove-OBPolicy } }
        @{ What = 'the vault'; End = { Unregister-OBMachine } }
    ) {
        if (-not (Get-OBPolicy)) {
            $null = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $source) | Set-OBSchedule -Schedule (New-OBSchedule) |
                Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy
        }

        Get-Content "$work/crontab" | Should -HaveCount 2
        $null = & $End
        Get-Content "$work/crontab" | Should -Be '5 4 * * * /usr/bin/theirs'
    }
}
