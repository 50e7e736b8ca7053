BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    . "$PSScriptRoot/Crontab.ps1"
    Set-Content "$work/crontab" '5 4 * * * /usr/bin/theirs'
    if ($IsLinux) { $null = Save-TestPolicy (New-TestTree "$work/src") }
}

AfterAll {
    Remove-TestCrontab
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Repair-OBSchedule' -Skip:(-not $IsLinux) {
    It 'puts right a line that somebody has <What>, and says how all stands then' -TestCases @(
        @{ What = 'deleted'; Harm = { Set-Content "$work/crontab" $_[0] } }
        @{ What = 'commented out'; Harm = { Set-Content "$work/crontab" $_[0], "# $($_[1])" } }
        @{ What = 'changed'; Harm = { Set-Content "$work/crontab" $_[0], "0 0 1 1 * $($_[1].Split(' ', 6)[5])" } }
        @{ What = 'doubled'; Harm = { Set-Content "$work/crontab" $_[0], $_[1], $_[1] } }
    ) {
        $before = Get-Content "$work/crontab"
        , $before | ForEach-Object $Harm
        $harmed = Get-Content "$work/crontab"
        (Repair-OBSchedule -WhatIf | Where-Object Id -EQ Registered)[0].Result | Should -Be Fail
        Get-Content "$work/crontab" | Should -Be $harmed
        (Repair-OBSchedule | Where-Object Id -EQ Registered)[0].Result | Should -Be Pass
        Get-Content "$work/crontab" | Should -Be $before
    }

    It 'takes out what a policy has left behind that was removed where nobody told the scheduler' {
        Remove-Item "$env:MSONLINEBACKUP_STATE/policy-files.json"
        (Test-OBSchedule)[0].Result | Should -Be Warning
        (Repair-OBSchedule)[0].Result | Should -Be NotApplicable
        Get-Content "$work/crontab" | Should -Be '5 4 * * * /usr/bin/theirs'
    }
}
