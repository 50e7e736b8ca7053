BeforeDiscovery {
    $canMount = $IsLinux -and (Test-Path /dev/fuse) -and (id -u) -eq 0
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = Get-OBAllRecoveryPoints | Select-Object -First 1
    $folder = "$work/mounted"
}

AfterAll {
    Get-OBRecoveryMount | Stop-OBRecoveryMount -Force
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBRecoveryMount' {
    It 'asks for a folder' {
        Assert-BackupError (Get-ErrorOf { Start-OBRecoveryMount $point }) RecoveryOptionMissing InvalidArgument
    }

    It 'changes nothing with -WhatIf' {
        Start-OBRecoveryMount $point -Path $folder -WhatIf | Should -BeNullOrEmpty
        $folder | Should -Not -Exist
    }

    It 'shows a point as files, until it is stopped, in a process that is not the session''s' -Skip:(-not $canMount) {
        $mount = Start-OBRecoveryMount -RecoveryPoint $point -Path $folder
        $mount.Path | Should -Be $folder
        $mount.RecoveryPointId | Should -Be $point.RecoveryPointId
        $mount.IsPinned | Should -BeTrue
        $mount.ProcessId | Should -Not -Be $PID
        ($mount.Expires - $mount.StartTime).TotalHours | Should -BeGreaterThan 5.9
        diff -r $source "$folder$source"
        $LASTEXITCODE | Should -Be 0
        (Get-OBRecoveryMount).Path | Should -Be $folder
        (Get-OBRecoveryMount "$work/*").Id | Should -Be $mount.Id
        Get-OBRecoveryMount "$work/other" | Should -BeNullOrEmpty
        { New-Item "$folder/new" -ErrorAction Stop } | Should -Throw '*Read-only*'
        Assert-BackupError (Get-ErrorOf { Start-OBRecoveryMount $point -Path $folder }) MountFolderInvalid ResourceUnavailable

        # Backups go on.
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        Get-OBRecoveryMount | Stop-OBRecoveryMount
        Get-OBRecoveryMount | Should -BeNullOrEmpty
        Get-ChildItem $folder | Should -BeNullOrEmpty
        Wait-Process -Id $mount.ProcessId -Timeout 30 -ErrorAction Ignore
        Get-Process -Id $mount.ProcessId -ErrorAction Ignore | Should -BeNullOrEmpty
    }

    It 'can be written to, and what was written goes with it' -Skip:(-not $canMount) {
        $null = Start-OBRecoveryMount $point -Path $folder -Writable
        $file = Get-ChildItem "$folder$source" -Recurse -File | Select-Object -First 1
        Set-Content $file.FullName 'changed'
        Get-Content $file.FullName | Should -Be 'changed'
        Set-Content "$folder/added" 'new'
        Stop-OBRecoveryMount $folder
        $null = Start-OBRecoveryMount $point -Path $folder
        "$folder/added" | Should -Not -Exist
        diff -r $source "$folder$source"
        $LASTEXITCODE | Should -Be 0
        Stop-OBRecoveryMount $folder
    }

    It 'shows all points, with the newest as latest' -Skip:(-not $canMount) {
        $mount = Start-OBRecoveryMount -All -Path $folder
        $mount.RecoveryPointId | Should -BeNullOrEmpty
        $machine = Get-ChildItem $folder
        $machine | Should -HaveCount 1
        @(Get-ChildItem $machine.FullName -Exclude latest).Count | Should -Be @(Get-OBAllRecoveryPoints).Count
        diff -r $source "$($machine.FullName)/latest$source"
        $LASTEXITCODE | Should -Be 0
        Stop-OBRecoveryMount $folder
    }

    It 'says what is wrong where it cannot mount' -Skip:(-not $canMount) {
        $null = New-Item "$work/full/file" -Force
        Assert-BackupError (Get-ErrorOf { Start-OBRecoveryMount $point -Path "$work/full" }) MountFolderInvalid ResourceUnavailable
        Assert-BackupError (Get-ErrorOf { Start-OBRecoveryMount $point -Path $folder -EncryptionPassphrase (ConvertTo-SecureString 'a wrong passphrase 1' -AsPlainText -Force) }) PassphraseRejected AuthenticationError
        Assert-BackupError (Get-ErrorOf { Start-OBRecoveryMount 'ffffffffffff' -Path $folder }) RecoveryPointNotFound ObjectNotFound
        Get-OBRecoveryMount | Should -BeNullOrEmpty
    }
}
