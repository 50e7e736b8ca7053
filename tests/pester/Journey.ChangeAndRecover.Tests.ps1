BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A machine''s first days, as published scripts go' {
    It 'registers, saves a policy and makes the first backup' {
        $null = Initialize-TestMachine $work
        (Get-OBMachineSetting).EncryptionSetting.EncryptionKeyStatus | Should -Be Set
        $null = New-TestTree "$work/src"
        (Save-TestPolicy "$work/src").State | Should -Be Existing
        $job = Get-OBPolicy | Start-OBBackup 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        $job.JobStatus.DatasourceStatus[0].ByteProgress.Changed | Should -BeGreaterThan 0
        Get-OBAllRecoveryPoints | Should -HaveCount 1
        (Get-OBMachineUsage).StorageUsedByMachineInBytes | Should -BeGreaterThan 0
    }

    It 'backs up a change' {
        Set-Content -LiteralPath "$work/src/a.txt" -Value 'a mistake' -NoNewline
        $job = Get-OBPolicy | Start-OBBackup 6> $null
        $job.JobStatus.DatasourceStatus[0].FileProgress.Total | Should -Be 2
        $job.JobStatus.DatasourceStatus[0].FileProgress.Changed | Should -BeGreaterThan 0
        Get-OBAllRecoveryPoints | Should -HaveCount 2
    }

    It 'brings the file back as it was before' {
        $source = Get-OBRecoverableSource
        $points = Get-OBRecoverableItem $source[0]
        $item = Get-OBRecoverableItem -RecoveryPoint $points[-1] -Location "$work/src" -SearchString a.txt
        $option = New-OBRecoveryOption -DestinationPath "$work/back" -OverwriteType Skip
        $job = Start-OBRecovery -RecoverableItem $item -RecoveryOption $option 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
        Get-Content -LiteralPath "$work/src/a.txt" -Raw | Should -Be 'a mistake'
    }

    It 'keeps the history of it' {
        (Get-OBJob -Previous 10).JobType | Should -Be @('Backup', 'Backup', 'Recovery')
        Get-OBJob -Previous 10 -Status Failed | Should -BeNullOrEmpty
        Get-OBJob | Should -BeNullOrEmpty
    }
}
