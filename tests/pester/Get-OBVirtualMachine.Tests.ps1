BeforeDiscovery { $hasQemu = $IsLinux -and (Get-Command qemu-system-x86_64, qemu-img -ErrorAction Ignore).Count -eq 2 }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    [System.IO.File]::WriteAllBytes("$work/vda.raw", [byte[]]::new(1MB))
}
AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBVirtualMachine' {
    It 'shows the images of one that is off, and nothing where the policy has none' {
        Get-OBVirtualMachine | Should -BeNullOrEmpty
        $found = Get-OBVirtualMachine vm1 -ImagePath "$work/vda.raw"
        $found.Name, $found.Hypervisor, $found.Bytes, $found.Disks.Name, $found.Disks.Format | Should -Be vm1, off, 1MB, vda, raw
        Assert-BackupError (Get-ErrorOf { Get-OBVirtualMachine vm1 }) VirtualMachineNotInPolicy ObjectNotFound
    }

    It 'shows those of the policy, and says of each that cannot be reached' {
        $policy = New-OBPolicy | Add-OBVirtualMachine vm1 -ImagePath "$work/vda.raw" | Add-OBVirtualMachine gone -QmpSocket "$work/nowhere"
        $null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30)
        $null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 30)
        $null = Set-OBPolicy $policy
        $found = Get-OBVirtualMachine -ErrorVariable failures -ErrorAction SilentlyContinue
        $found.Name | Should -Be vm1
        $failures.Count | Should -Be 1
        Assert-BackupError $failures[0] VirtualMachineUnreachable ConnectionError
        (Get-OBVirtualMachine V*).Name | Should -Be vm1
        (Get-Completion 'Get-OBVirtualMachine ').CompletionText | Should -Be vm1, gone
        (Get-Completion 'Get-OBPolicy | Remove-OBVirtualMachine g').CompletionText | Should -Be gone
        ($found | Format-Table | Out-String -Width 80) | Should -BeLike '*vm1*off*vda*'
    }

    It 'keeps machines in an exported policy, and backs up those that can be reached' {
        $null = Export-OBPolicy (Get-OBPolicy) -Path "$work/policy.json"
        (Import-OBPolicy "$work/policy.json").VirtualMachines.Name | Should -Be vm1, gone
        $null = Get-OBPolicy | Start-OBBackup -ErrorVariable lost -ErrorAction SilentlyContinue 6> $null 3> $null
        $lost[0].Exception.Message | Should -BeLike '*nowhere*'
        (Get-OBAllRecoveryPoints -VirtualMachine vm1).DataSources | Should -Be vm1
        @(Get-OBRecoverableSource -Server vm1 | Get-OBRecoverableItem).Count | Should -BeGreaterThan 0
    }

    It 'shows a machine that runs under QEMU, which is backed up' -Skip:(-not $hasQemu) {
        $null = qemu-img create -q -f qcow2 "$work/vdb.qcow2" 4M
        $qemu = Start-Process qemu-system-x86_64 -PassThru -ArgumentList @(
            '-nodefaults', '-no-user-config', '-display', 'none', '-accel', 'tcg', '-m', '16', '-S', '-name', 'running',
            '-qmp', "unix:$work/qmp.sock,server=on,wait=off", '-drive', "if=none,id=vdb,file=$work/vdb.qcow2,format=qcow2", '-device', 'virtio-blk-pci,drive=vdb')
        try {
            $null = 1..200 | Where-Object { (Test-Path "$work/qmp.sock") -or (Start-Sleep -Milliseconds 50) } | Select-Object -First 1
            $found = Get-OBVirtualMachine -QmpSocket "$work/qmp.sock"
            $found.Name, $found.Disks.Name, $found.Disks.Format, $found.Disks.Bytes | Should -Be running, vdb, qcow2, 4MB
            $found.Hypervisor | Should -BeLike 'QEMU *'
            $policy = Get-OBPolicy | Remove-OBVirtualMachine gone | Remove-OBVirtualMachine vm1
            $null = $found | Add-OBVirtualMachine -Policy $policy | Set-OBPolicy
            $job = Get-OBPolicy | Start-OBBackup 6> $null
            $job.JobStatus.JobState | Should -Be Completed
            (Get-OBAllRecoveryPoints -VirtualMachine running).Consistency | Should -Be Crash
        } finally {
            $qemu | Stop-Process -Force
        }
    }
}
