BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = Get-OBRecoverableSource | Get-OBRecoverableItem
    $file = New-OBRecoverableItem $point 'a.txt' -IsDir $false
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBRecovery' {
    It 'recovers an item into a folder, under its own name' {
        $option = New-OBRecoveryOption -DestinationPath "$work/out"
        $lines = [System.Collections.Generic.List[string]]::new()
        $job = Start-OBRecovery -RecoverableItem $file -RecoveryOption $option 6>&1 | ForEach-Object {
            if ($_ -is [System.Management.Automation.InformationRecord]) { $lines.Add("$_") } else { $_ }
        }
        $lines | Should -Be @('Estimating size of backup items...', 'Job completed.', 'The recovery operation completed successfully.')
        $job.JobType | Should -Be Recovery
        $job.JobStatus.JobState | Should -Be Completed
        $job.RecoveryPointId | Should -Be $point.RecoveryPointId
        Get-Content -LiteralPath "$work/out/a.txt" -Raw | Should -Be one
    }

    It 'recovers from the vault where that is said, and from local snapshots only where there are any' {
        $option = New-OBRecoveryOption -DestinationPath "$work/vault-only"
        (Start-OBRecovery $file $option -From Vault 6> $null).JobStatus.JobState | Should -Be Completed
        $record = Get-ErrorOf { Start-OBRecovery $file $option -From Local 6> $null }
        Assert-BackupError $record RecoveryPointNotFound ObjectNotFound '*no local snapshots*'
    }

    It 'recovers a folder with all that is in it' {
        $null = New-OBRecoverableItem $point sub -IsDir $true | Start-OBRecovery -RecoveryOption (New-OBRecoveryOption "$work/folder") 6> $null
        Get-Content -LiteralPath "$work/folder/sub/b.txt" -Raw | Should -Be 'two, and longer'
    }

    It 'puts a copy beside what is there, at the original place, without an option' {
        Set-Content -LiteralPath "$source/a.txt" -Value 'newer' -NoNewline
        $null = Start-OBRecovery $file 6> $null
        Get-Content -LiteralPath "$source/a.txt" -Raw | Should -Be newer
        $copy = @(Get-ChildItem -LiteralPath $source -Filter '* Copy of a.txt')
        $copy.Name | Should -Match '^\d{4}-\d\d-\d\d \d\d-\d\d Copy of a\.txt$'
        Get-Content -LiteralPath $copy.FullName -Raw | Should -Be one
    }

    It 'leaves what is there with Skip, as it was asked to, and lists it' {
        $job = Start-OBRecovery $file (New-OBRecoveryOption -OverwriteType Skip) 6> $null 3> $null
        Get-Content -LiteralPath "$source/a.txt" -Raw | Should -Be newer
        $job.JobStatus.JobState | Should -Be Completed
        ($job | Get-OBSkippedItem).Path | Should -Be "$source/a.txt"
    }

    It 'replaces what is there with Overwrite' {
        $null = Start-OBRecovery $file (New-OBRecoveryOption -OverwriteType Overwrite) 6> $null
        Get-Content -LiteralPath "$source/a.txt" -Raw | Should -Be one
    }

    It 'recovers several items of one point as one job' {
        $option = New-OBRecoveryOption -DestinationPath "$work/several"
        $jobs = @(Get-OBRecoverableItem $point | Start-OBRecovery -RecoveryOption $option 6> $null)
        $jobs | Should -HaveCount 1
        Test-Path "$work/several/a.txt" | Should -BeTrue
        Test-Path "$work/several/sub/b.txt" | Should -BeTrue
    }

    It 'warns where items of one name had to go by their full paths' {
        $null = New-Item -ItemType Directory -Path "$source/sub/deep"
        Set-Content -LiteralPath "$source/sub/deep/a.txt" -Value 'another' -NoNewline
        $null = Invoke-TestBackup
        $newest = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
        $items = (New-OBRecoverableItem $newest 'a.txt' -IsDir $false), (New-OBRecoverableItem $newest 'sub/deep/a.txt' -IsDir $false)
        $job = Start-OBRecovery $items (New-OBRecoveryOption "$work/same") -WarningVariable warnings -WarningAction SilentlyContinue 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        "$warnings" | Should -BeLike "*have the same name*full paths*"
        $job.JobStatus.Warnings | Should -HaveCount 1
        Get-Content -LiteralPath "$work/same$source/sub/deep/a.txt" -Raw | Should -Be another
    }

    It 'does nothing with -WhatIf' {
        Start-OBRecovery $file (New-OBRecoveryOption "$work/whatif") -WhatIf | Should -BeNullOrEmpty
        Test-Path "$work/whatif" | Should -BeFalse
    }

    It 'hands the job to a process of its own with -Async' {
        $job = Start-OBRecovery $file (New-OBRecoveryOption "$work/async") -Async
        $job | ConvertTo-Json -Depth 6 | Should -Match $job.JobId
        Wait-TestJob
        (Get-OBJob -Previous 1).JobId | Should -Be $job.JobId
        Get-Content -LiteralPath "$work/async/a.txt" -Raw | Should -Be one
    }

    It 'hands the passphrase to that process, and leaves none on disk' {
        $passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
        $null = Start-OBRecovery $file (New-OBRecoveryOption "$work/secret") -EncryptionPassphrase $passphrase -Async
        Wait-TestJob
        Get-Content -LiteralPath "$work/secret/a.txt" -Raw | Should -Be one
        Get-ChildItem $env:MSONLINEBACKUP_STATE -Recurse -File -Exclude *.lock | Select-String -SimpleMatch 'a passphrase for tests' | Should -BeNullOrEmpty
    }

    It 'refuses a wrong passphrase' {
        $wrong = ConvertTo-SecureString 'another passphrase, 16' -AsPlainText -Force
        $problem = Get-ErrorOf { Start-OBRecovery $file (New-OBRecoveryOption "$work/wrong") -EncryptionPassphrase $wrong 6> $null }
        Assert-BackupError $problem PassphraseRejected AuthenticationError
        (Get-OBJob -Previous 1).JobStatus.ErrorInfo.ErrorId | Should -Be PassphraseRejected
        Test-Path "$work/wrong" | Should -BeFalse
    }

    It 'does not pass over an empty pipeline' {
        Assert-BackupError (Get-ErrorOf { @() | Start-OBRecovery }) RecoverableItemNotFound ObjectNotFound
    }

    It 'recovers a whole point' {
        $null = Get-OBAllRecoveryPoints | Start-OBRecovery -RecoveryOption (New-OBRecoveryOption "$work/whole") 6> $null
        Test-Path "$work/whole/src/sub/b.txt" | Should -BeTrue
    }
}
