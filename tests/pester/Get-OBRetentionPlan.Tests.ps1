BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $jobs = @(Invoke-TestBackup; Invoke-TestBackup; Invoke-TestBackup)

    # As if the vault had got the points some days earlier, the oldest first.
    function Set-PointAge([int[]] $Days) {
        foreach ($index in 0..($jobs.Count - 1)) {
            Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$($jobs[$index].RecoveryPointId)" |
                ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-$Days[$index]) }
        }
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBRetentionPlan' {
    It 'says of each point which rule keeps or drops it, the oldest first' {
        Set-PointAge 50, 10, 0
        $plan = Get-OBRetentionPlan
        $plan | Should -BeOfType MSOnlineBackup.OBRetentionDecision
        $plan.RecoveryPointId | Should -Be $jobs.RecoveryPointId
        $plan.IsKept | Should -Be $false, $true, $true
        $plan[0].Reason, $plan[0].Rule, $plan[0].PolicyType | Should -Be Expired, Daily, Files
        $plan[1].Reason, $plan[2].Reason | Should -Be WithinRetention, WithinRetention
        $plan[1].Until | Should -BeGreaterThan ([datetime]::UtcNow.AddDays(19))
        $plan.DataSources | Should -Be $source, $source, $source
        $plan | Out-String | Should -Match 'WithinRetention'
    }

    It 'shows the points of one policy' {
        Get-OBRetentionPlan -PolicyType Files | Should -HaveCount 3
        Get-OBRetentionPlan SystemState | Should -BeNullOrEmpty
    }
}
