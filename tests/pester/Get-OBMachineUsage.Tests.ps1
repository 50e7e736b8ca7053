BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBMachineUsage' {
    It 'wants the machine registered first' {
        Assert-BackupError (Get-ErrorOf { Get-OBMachineUsage }) MachineNotRegistered InvalidOperation
    }

    It 'counts the bytes in the vault: what is new, and no more' {
        $null = Initialize-TestMachine $TestDrive
        $bytes = [byte[]]::new(300KB)
        [System.Random]::new(1).NextBytes($bytes)
        $null = New-Item -ItemType Directory -Path "$TestDrive/data"
        [System.IO.File]::WriteAllBytes("$TestDrive/data/random.bin", $bytes)
        $policy = New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$TestDrive/data") | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30) | Set-OBPolicy
        $before = Get-OBMachineUsage
        $before.Time.Kind | Should -Be Utc

        $null = $policy | Start-OBBackup 6> $null
        $first = (Get-OBMachineUsage).StorageUsedByMachineInBytes
        $first - $before.StorageUsedByMachineInBytes | Should -BeGreaterOrEqual 300KB

        $null = $policy | Start-OBBackup 6> $null
        (Get-OBMachineUsage).StorageUsedByMachineInBytes - $first | Should -BeLessThan 300KB
    }
}
