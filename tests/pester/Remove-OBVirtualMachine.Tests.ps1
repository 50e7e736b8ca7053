BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Remove-OBVirtualMachine' {
    BeforeEach { $policy = New-OBPolicy | Add-OBVirtualMachine one -QmpSocket /a | Add-OBVirtualMachine two -QmpSocket /b }

    It 'takes a machine out of the draft, and returns the draft' {
        $returned = $policy | Remove-OBVirtualMachine ONE
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $policy.VirtualMachines.Name | Should -Be two
    }

    It 'changes nothing with -WhatIf' { ($policy | Remove-OBVirtualMachine one -WhatIf).VirtualMachines.Name | Should -Be one, two }

    It 'names those that there are where there is none of the name' {
        $record = Get-ErrorOf { $policy | Remove-OBVirtualMachine three }
        Assert-BackupError $record VirtualMachineNotInPolicy ObjectNotFound
        $record.ErrorDetails.RecommendedAction | Should -BeLike "*'one', 'two'*"
    }
}
