BeforeDiscovery {
    $hasPrograms = $IsLinux -and [bool](Get-Command qemu-img -ErrorAction Ignore) -and [bool](Get-Command qemu-nbd -ErrorAction Ignore)
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $files = Get-OBAllRecoveryPoints | Select-Object -First 1
    $before = [byte[]]::new(1MB)
    $before[4096] = 7
    $now = [byte[]]::new(1MB)
    $now[4096] = 8
    [System.IO.File]::WriteAllBytes("$work/vda.raw", $before)
    $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
    $null = Invoke-Obengine image backup "$work/vda.raw" --machine vm1 --vault $vault
    $env:OBENGINE_PASSPHRASE = $null
    $point = Get-OBRecoverableSource -Server vm1 | Get-OBRecoverableItem | Select-Object -First 1
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Restore-OBVirtualMachine' {
    It 'refuses a point of files, a network that is none, and a name that is no name' {
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $files -As vm2 -To "$work/vm2" }) MachinePointUnfit ObjectNotFound
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $point -As vm2 -To "$work/vm2" -Network 'a,b' }) ArgumentInvalid InvalidArgument
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $point -As '../x' -To "$work/vm2" }) ArgumentInvalid InvalidArgument
        "$work/vm2" | Should -Not -Exist
    }

    It 'makes a new machine with raw images' {
        $made = $point | Restore-OBVirtualMachine -As vm2 -To "$work/vm2" -Format raw
        $made | Should -BeOfType MSOnlineBackup.OBRestoredMachine
        $made.Name, $made.Disks | Should -Be vm2, vda
        [System.Linq.Enumerable]::SequenceEqual([System.IO.File]::ReadAllBytes($made.Files[0]), $before) | Should -BeTrue
        $made.Definition, $made.Script | Should -Exist
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $point -As vm2 -To "$work/vm2" -Format raw }) MachineTargetTaken ResourceExists
    }

    It 'restores a disk, and completes its name' {
        (Get-Completion 'Restore-OBVirtualMachine $point -Disk ').CompletionText | Should -Contain vda
        (Restore-OBVirtualMachine $point -Disk vda -To "$work/x.raw").Files | Should -Be "$work/x.raw"
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $point -Disk vdz -To "$work/y.raw" }) MachinePointUnfit ObjectNotFound
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        try {
            Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $point -Disk vda -To "$work/x.raw" -Force }) MachineTargetTaken ResourceExists '*Mars*'
        }
        finally {
            $env:MSONLINEBACKUP_PROFILE = $null
        }
    }

    It 'replaces a disk, and puts it back' -Skip:(-not $hasPrograms) {
        [System.IO.File]::WriteAllBytes("$work/vda.raw", $now)
        Restore-OBVirtualMachine $point -Disk vda -ReplaceDisk -WhatIf | Should -BeNullOrEmpty
        [System.IO.File]::ReadAllBytes("$work/vda.raw")[4096] | Should -Be 8
        $replaced = Restore-OBVirtualMachine $point -Disk vda -ReplaceDisk
        [System.IO.File]::ReadAllBytes("$work/vda.raw")[4096] | Should -Be 7
        $replaced.Kept | Should -Exist
        $replaced.SafetyPointId | Should -Not -BeNullOrEmpty
        $null = Restore-OBVirtualMachine $point -Disk vda -ReplaceDisk -Undo
        [System.IO.File]::ReadAllBytes("$work/vda.raw")[4096] | Should -Be 8
        Assert-BackupError (Get-ErrorOf { Restore-OBVirtualMachine $files -Disk vda -ReplaceDisk }) MachinePointUnfit ObjectNotFound
    }
}
