BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src") 3> $null
    (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
    function Invoke-Timer {
        Remove-Item "$env:MSONLINEBACKUP_STATE/schedule-files.json" -ErrorAction Ignore
        Invoke-Obengine schedule run --policy files 2>&1 | Out-String
    }
}

AfterAll {
    $env:MSONLINEBACKUP_PROFILE = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A subscription that expires' {
    It 'is active until its owner says otherwise, and contact is there' {
        (Get-OBVault).State | Should -Be Active
        (Get-OBVault).LastContact | Should -BeGreaterThan ([datetime]::UtcNow.AddHours(-2))
        (Set-OBVault $vault -State Expired).State | Should -Be Expired
    }

    It 'stops a backup that is started by hand' {
        Assert-BackupError (Get-ErrorOf { Invoke-TestBackup }) SubscriptionExpired PermissionDenied '*has expired*'
    }

    It 'skips those by schedule, each with its reason' {
        $told = Invoke-Timer
        $told | Should -BeLike '*No backup*was made*'
        $told | Should -BeLike '*has expired*'
        $LASTEXITCODE | Should -Be 5
        Invoke-Obengine schedule run --policy files --quiet
        $LASTEXITCODE | Should -Be 0 -Because 'it comes once for each backup that was due'
        # Its time was before the job that somebody has started by hand.
        $job = Get-OBJob -Previous 9 | Where-Object { $_.JobStatus.JobState -eq 'Skipped' }
        $job | Should -HaveCount 1
        $job.JobStatus.ErrorInfo.ErrorId | Should -Be SubscriptionExpired
    }

    It 'is a notice' { (Get-OBNotification).ErrorId | Should -Contain SubscriptionExpired }

    It 'stops obengine, too' {
        $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
        Invoke-Obengine backup "$work/src" --vault $vault --quiet 2>&1 | Out-String | Should -BeLike '*SubscriptionExpired*'
        $LASTEXITCODE | Should -Be 1
        $env:OBENGINE_PASSPHRASE = $null
    }

    It 'issues no credential file' {
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential -Vault $vault -Path $work }) SubscriptionExpired PermissionDenied '*No credential file*403*'
    }

    It 'never stops a recovery' {
        $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem) a.txt -IsDir $false
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
    }

    It 'goes on when it is active again' {
        (Set-OBVault $vault -State Active).State | Should -Be Active
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        @(Get-OBNotification | ForEach-Object ErrorId) | Should -Not -Contain SubscriptionExpired
    }
}

Describe 'A subscription that was given up' {
    It 'stops recoveries with the profile Mars, unless from a folder with -Force' {
        $null = Set-OBVault $vault -State Deprovisioned
        $env:MSONLINEBACKUP_PROFILE = 'Mars'
        $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1) a.txt -IsDir $false
        $option = New-OBRecoveryOption "$work/mars"
        Assert-BackupError (Get-ErrorOf { Start-OBRecovery $item $option 6> $null }) SubscriptionDeprovisioned PermissionDenied '*Mars*'
        Test-Path "$work/mars/a.txt" | Should -BeFalse
        (Start-OBRecovery $item $option -Force 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/mars/a.txt" -Raw | Should -Be one
        $env:MSONLINEBACKUP_PROFILE = $null
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/open") 6> $null).JobStatus.JobState | Should -Be Completed
        $null = Set-OBVault $vault -State Active
    }
}

Describe 'A vault that does not answer for long' {
    It 'is a notice that says what to do, and none any more when it answers' {
        Rename-Item $vault away
        try {
            $record = Get-Content "$env:MSONLINEBACKUP_STATE/contact.json" -Raw | ConvertFrom-Json
            $record.content.last = [datetime]::UtcNow.AddDays(-16).ToString('o')
            ConvertTo-Json $record -Depth 9 | Set-Content "$env:MSONLINEBACKUP_STATE/contact.json"
            $notice = Get-OBNotification | Where-Object ErrorId -EQ VaultContactLost
            $notice.Message | Should -BeLike '*no contact*16 days*'
            $notice.RecommendedAction | Should -BeLike '*Test-OBConnectivity*Start-OBRegistration*'
            $env:MSONLINEBACKUP_PROFILE = 'Mars'
            (Get-ErrorOf { Invoke-TestBackup }).FullyQualifiedErrorId | Should -BeLike 'VaultContactLost,*'
        }
        finally {
            $env:MSONLINEBACKUP_PROFILE = $null
            Rename-Item "$work/away" vault
        }

        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        @(Get-OBNotification | ForEach-Object ErrorId) | Should -Not -Contain VaultContactLost
    }
}
