BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Add-OBVirtualMachine' {
    It 'adds a machine to the draft, and returns the draft' {
        $policy = New-OBPolicy
        $returned = $policy | Add-OBVirtualMachine vm1 -QmpSocket /run/vm1/qmp.sock -AgentSocket /run/vm1/agent.sock -Hooks -RequireFreeze -Disk vda, vdb -WorkFolder /srv/work -ConsistencyGroup web
        [object]::ReferenceEquals($returned, $policy) | Should -BeTrue
        $machine = $policy.VirtualMachines
        $machine.Name, $machine.QmpSocket, $machine.AgentSocket, $machine.WorkFolder, $machine.ConsistencyGroup | Should -Be vm1, /run/vm1/qmp.sock, /run/vm1/agent.sock, /srv/work, web
        $machine.Hooks, $machine.RequireFreeze | Should -Be $true, $true
        $machine.Disk | Should -Be vda, vdb
        $policy.DsList.DataSourceName | Should -Be vm1
        ($machine | Format-Table | Out-String -Width 80) | Should -BeLike '*vm1*/run/vm1/qmp.sock*web*'
    }

    It 'takes images of one that is off, and replaces one of the same name' {
        $policy = New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket /a | Add-OBVirtualMachine vm2 -ImagePath /srv/vda.qcow2, /srv/vdb.raw
        $null = $policy | Add-OBVirtualMachine VM1 -QmpSocket /b -ExcludeDisk scratch
        $policy.VirtualMachines.Name | Should -Be vm2, VM1
        $policy.VirtualMachines[0].ImagePath | Should -Be /srv/vda.qcow2, /srv/vdb.raw
        $policy.VirtualMachines[1].ExcludeDisk | Should -Be scratch
    }

    It 'reads paths from the current folder' {
        Push-Location $TestDrive
        try { (New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket qmp.sock).VirtualMachines.QmpSocket | Should -Be "$TestDrive/qmp.sock" } finally { Pop-Location }
    }

    It 'takes what Get-OBVirtualMachine shows, and returns the draft once' -Skip:(-not $IsLinux) {
        Set-Content "$TestDrive/a.raw" 'disk'
        $policy = New-OBPolicy
        $returned = @('vm1', 'vm2' | ForEach-Object { Get-OBVirtualMachine $_ -ImagePath "$TestDrive/a.raw" } | Add-OBVirtualMachine -Policy $policy)
        $returned.Count | Should -Be 1
        $policy.VirtualMachines.Name | Should -Be vm1, vm2
        $policy.VirtualMachines[1].ImagePath | Should -Be "$TestDrive/a.raw"
    }

    It 'changes nothing with -WhatIf' { (New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket /a -WhatIf).VirtualMachines | Should -BeNullOrEmpty }

    It 'refuses what no machine can have' {
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBVirtualMachine vm1 }) ArgumentInvalid InvalidArgument '*not said how*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket /a -ImagePath /b.raw }) ArgumentInvalid InvalidArgument '*both*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBVirtualMachine a/b -QmpSocket /a }) PolicyInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBVirtualMachine vm1 -ImagePath /srv/vda.vmdk }) PolicyInvalid InvalidArgument '*format*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBVirtualMachine vm1 -QmpSocket /a -ConsistencyGroup web }) PolicyInvalid InvalidArgument '*guest agent*'
        Assert-BackupError (Get-ErrorOf { New-OBPolicy | Add-OBSystemState | Add-OBVirtualMachine vm1 -QmpSocket /a }) PolicyInvalid InvalidArgument '*system state*'
    }
}
