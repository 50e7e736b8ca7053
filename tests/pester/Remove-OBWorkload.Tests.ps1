BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Remove-OBWorkload' {
    BeforeEach { $policy = New-OBPolicy | Add-OBWorkload -PostgreSql -Socket /a -Name one | Add-OBWorkload -PostgreSql -Socket /b -Name two }

    It 'takes a server out of the draft, and returns the draft' {
        $returned = $policy | Remove-OBWorkload -Name ONE
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.Workloads.Name | Should -Be two
    }

    It 'changes nothing with -WhatIf' { ($policy | Remove-OBWorkload -Name one -WhatIf).Workloads.Name | Should -Be one, two }

    It 'names those that there are where there is none of the name' {
        $record = Get-ErrorOf { $policy | Remove-OBWorkload -Name three }
        Assert-BackupError $record WorkloadNotFound ObjectNotFound
        $record.ErrorDetails.RecommendedAction | Should -BeLike "*'one', 'two'*"
    }
}
