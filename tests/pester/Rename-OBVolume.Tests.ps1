BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    $data = (New-Item -ItemType Directory -Path "$TestDrive/data").FullName
    function New-TestPolicy {
        New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $data) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
    }
}
AfterAll { Remove-TestState }

Describe 'Rename-OBVolume' {
    BeforeEach {
        $policy = New-TestPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$data/cache" -Exclude) | Add-OBFileSpec -FileSpec (New-OBFileSpec '*.tmp' -Exclude)
        $null = $policy | Set-OBPolicy
        $moved = (New-Item -ItemType Directory "$TestDrive/moved" -Force).FullName
    }

    It 'moves what the policy has below the old path' {
        $volume = Rename-OBVolume -OldVolumeName $data -NewVolumeName $moved
        $volume.OldVolumeName, $volume.NewVolumeName | Should -Be $data, $moved
        (Get-OBPolicy | Get-OBFileSpec).FileSpec | Should -Be $moved, (Join-Path $moved cache), '*.tmp'
    }

    It 'refuses a path that the policy does not have, and one whose name only begins so' {
        Assert-BackupError (Get-ErrorOf { Rename-OBVolume $data.TrimEnd('a') $moved }) PolicyNotFound ObjectNotFound
    }

    It 'refuses a new path that is not there' {
        Assert-BackupError (Get-ErrorOf { Rename-OBVolume $data "$data-nowhere" }) SourceNotFound ObjectNotFound
    }

    It 'warns before it leads to a source that lies in memory, also with -WhatIf' -Skip:(-not $IsLinux) {
        $memory = (New-Item -ItemType Directory -Path "/dev/shm/ob-$(New-Guid)").FullName
        try {
            Rename-OBVolume $data $memory -WhatIf -WarningVariable told -WarningAction SilentlyContinue
            "$told" | Should -BeLike "*'$memory' is held in memory*"
            $null = Rename-OBVolume $data $memory -WarningVariable told -WarningAction SilentlyContinue
            "$told" | Should -BeLike "*'$memory' is held in memory*"
        }
        finally {
            Remove-Item $memory -Recurse
        }
    }

    It 'has the next backup read and send nothing again' {
        Set-Content -LiteralPath "$data/file.txt" -Value 'not read twice' -NoNewline
        (Get-Item -LiteralPath "$data/file.txt").LastWriteTime = (Get-Date).AddHours(-1)
        Start-Sleep -Seconds 3
        $null = Get-OBPolicy | Start-OBBackup 6> $null
        Remove-Item -LiteralPath $moved
        Move-Item -LiteralPath $data -Destination $moved
        try {
            $null = Rename-OBVolume $data $moved
            $job = Get-OBPolicy | Start-OBBackup 6> $null
            $job.JobStatus.DatasourceStatus[0].ByteProgress.Changed | Should -Be 0
            (Get-OBRecoverableSource).RecoverySourceName | Should -Contain $data
            (Get-OBRecoverableSource).RecoverySourceName | Should -Contain $moved
        }
        finally { Move-Item -LiteralPath $moved -Destination $data }
    }

    It 'completes the sources of the policy' { (Get-Completion 'Rename-OBVolume -OldVolumeName ').ListItemText | Should -Contain $data }

    It 'changes nothing with -WhatIf' {
        Rename-OBVolume $data $moved -WhatIf | Should -BeNullOrEmpty
        (Get-OBPolicy | Get-OBFileSpec)[0].FileSpec | Should -Be $data
    }
}
