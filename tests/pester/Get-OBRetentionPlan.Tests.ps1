BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Retention.ps1"
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
        $plan[0].Bytes | Should -BeGreaterThan 0
        $plan[1].Bytes, $plan[2].Bytes | Should -Be $null, $null
        $lines = ($plan | Out-String -Width 80) -split '\r?\n'
        $lines[1] | Should -Match '^BackupTime +Reason +Rule +Until +Bytes +DataSources'
        $lines[3] | Should -Match "Expired +Daily +\d{4}-\d\d-\d\d +$('{0:N0}' -f $plan[0].Bytes)"
    }

    It 'shows the points of one policy' {
        Get-OBRetentionPlan -PolicyType Files | Should -HaveCount 3
        Get-OBRetentionPlan SystemState | Should -BeNullOrEmpty
    }
}
