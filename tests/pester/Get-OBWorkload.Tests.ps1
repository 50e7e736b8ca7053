BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBWorkload' {
    It 'shows one that was never backed up, without times' {
        Get-OBWorkload | Should -BeNullOrEmpty
        $policy = New-OBPolicy | Add-OBWorkload -PostgreSql -Socket "$work/nowhere" -Name pg1
        $null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30)
        $null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 30)
        $null = Set-OBPolicy $policy
        $found = Get-OBWorkload PG1
        $found.Name, $found.Kind, $found.FullBackups | Should -Be pg1, PostgreSql, 0
        $found.RecoverableTo | Should -BeNullOrEmpty
        (Get-OBPolicy).Workloads.Socket | Should -Be "$work/nowhere"
        ($found | Format-Table | Out-String) | Should -BeLike '*pg1*'
    }

    It 'keeps workloads in an exported policy' {
        $null = Export-OBPolicy (Get-OBPolicy) -Path "$work/policy.json"
        (Import-OBPolicy "$work/policy.json").Workloads.Name | Should -Be pg1
    }

    It 'names none that is not there' { Assert-BackupError (Get-ErrorOf { Get-OBWorkload pg2 }) WorkloadNotFound ObjectNotFound }

    It 'tells by the backup that the server does not answer' -Skip:(-not $IsLinux) {
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy | Start-OBBackup 6> $null }) WorkloadUnreachable ResourceUnavailable
    }
}
