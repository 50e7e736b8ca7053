# The whole way with a vault in Blob Storage. The machines have no more than a signature for reading, creating and listing, which Azurite enforces.

BeforeDiscovery {
    . "$PSScriptRoot/Azurite.ps1"
    $missing = -not (Test-Azurite)
    if ($missing) {
        Write-Host 'The journeys with a vault in Azure are skipped: Azurite, the emulator, needs bash, node and npm.'
    }
}

Describe 'A vault in Azure' -Skip:$missing {
    BeforeAll {
        . "$PSScriptRoot/Common.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Azurite.ps1"
        $azurite = Start-TestAzurite
        $url = "$($azurite.Url)/journey"
        $work = New-TestFolder
        $ownState = $env:MSONLINEBACKUP_STATE
        $ownMachine = $env:MSONLINEBACKUP_MACHINE
        $env:MSONLINEBACKUP_MACHINE = 'first'
        $passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force

        # A credential file that gives these permissions.
        function Export-TestCredential([string] $Permissions = 'rcl') {
            $sas = ConvertTo-SecureString (New-TestSas journey $Permissions) -AsPlainText -Force
            (Export-OBVaultCredential -Vault $url -Path $work -SasToken $sas).FullName
        }

        # Another machine, which has nothing yet.
        function Enter-TestMachine([string] $Name) {
            $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/state-$Name" -Force).FullName
            $env:MSONLINEBACKUP_MACHINE = $Name
        }

        $vault = New-OBVault -Url $url -Name Offsite
        $null = Start-OBRegistration -VaultCredentials (Export-TestCredential) 6> $null
        Set-OBMachineSetting -EncryptionPassphrase $passphrase 6> $null
        $null = New-TestTree "$work/src"
        $null = Save-TestPolicy "$work/src"
        $first = Invoke-TestBackup
    }

    BeforeEach {
        $env:MSONLINEBACKUP_STATE = $ownState
        $env:MSONLINEBACKUP_MACHINE = 'first'
    }

    AfterAll {
        $env:MSONLINEBACKUP_STATE = $ownState
        $env:MSONLINEBACKUP_MACHINE = $ownMachine
        Remove-TestState
        Remove-Item -LiteralPath $work -Recurse -Force
        Stop-TestAzurite $azurite
    }

    It 'is created, named and found by its URL' {
        $vault.Name | Should -Be Offsite
        $vault.Location | Should -Be $url
        (Get-OBVault -Url $url).VaultId | Should -Be $vault.VaultId
        (Get-OBVault).Machines | Should -Be first
        Assert-BackupError (Get-ErrorOf { New-OBVault -Url $url }) VaultExists ResourceExists
        Assert-BackupError (Get-ErrorOf { New-OBVault -Url 'http://192.0.2.1/acct/vault' }) ArgumentInvalid InvalidArgument '*plain HTTP*'
    }

    It 'is found healthy: network, proxy, clock and access, and a report has no signature in it' {
        $health = Test-OBHealth
        foreach ($id in 'Network', 'Clock', 'VaultAccess', 'AgentVersion') { ($health | Where-Object Id -EQ $id).Result | Should -Be Pass -Because $id }
        ($health | Where-Object Id -EQ Proxy).Result | Should -Be NotApplicable
        $report = Export-OBDiagnostic "$work/report.zip"
        Expand-Archive $report.FullName "$work/report"
        (Get-ChildItem "$work/report" -File -Recurse | Get-Content -Raw) -join "`n" | Should -Not -Match 'sig=[^*]'
    }

    It 'is found connected, layer by layer and in one word' {
        $test = Test-OBConnectivity
        $test.Outcome | Should -Be Passed -Because $test.Cause
        ($test.Layers | Where-Object Layer -EQ Authorisation).Outcome | Should -Be Passed
        Get-DPMCloudConnection | Should -BeTrue
        $refused = Test-OBConnectivity "$url-absent"
        $refused.FailedLayer | Should -Be Authorisation
        $refused.Cause | Should -BeLike '*no container*'
    }

    It 'names the container as the target where there is none' {
        $record = Get-ErrorOf { Get-OBVault -Url "$url-absent" }
        Assert-BackupError $record VaultNotFound ObjectNotFound
        $record.TargetObject | Should -Be "$url-absent"
    }

    It 'takes a backup and gives it back' {
        $first.JobStatus.JobState | Should -Be Completed
        Set-Content -LiteralPath "$work/src/a.txt" -Value 'changed by mistake'
        $point = Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
        $item = New-OBRecoverableItem -OBRecoverableItem $point -RelativePath a.txt -IsDir $false
        $job = Start-OBRecovery -RecoverableItem $item -RecoveryOption (New-OBRecoveryOption -OverwriteType Overwrite) 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/src/a.txt" -Raw | Should -Be one
    }

    It 'takes a backup in the background, which keeps to the limit that Get-OBJob shows' {
        Set-OBMachineSetting -WorkDay Monday -StartWorkHour 0:00 -EndWorkHour 0:01 -WorkHourBandwidth 1000000 -NonWorkHourBandwidth 1000000 6> $null
        try {
            [System.IO.File]::WriteAllBytes("$work/src/noise.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(1MB))
            $begun = Get-OBPolicy | Start-OBBackup -Async 6> $null
            $limits = for ($i = 0; ($job = Get-OBJob) -and $i -lt 600; $i++) {
                $job.JobStatus.BandwidthLimit
                Start-Sleep -Milliseconds 100
            }

            $limits | Where-Object { $_ } | Select-Object -Unique | Should -Be 1000000
            $ended = Get-OBJob -Previous 1
            $ended.JobId | Should -Be $begun.JobId
            $ended.JobStatus.JobState | Should -Be Completed
            $ended.JobStatus.BandwidthLimit | Should -BeNullOrEmpty
            ($ended.JobStatus.EndTime - $ended.JobStatus.StartTime).TotalSeconds | Should -BeGreaterThan 6 -Because '8 Mbit take 8 s'
        }
        finally {
            Set-OBMachineSetting -NoThrottle 6> $null
        }
    }

    It 'gives another machine what is lost, in the foreground and in the background' {
        $credential = Export-TestCredential rl
        Enter-TestMachine helper
        $items = Get-OBAlternateBackupServer $credential $passphrase | Where-Object ServerName -EQ first |
            Get-OBRecoverableSource | Get-OBRecoverableItem | Select-Object -First 1
        $null = Start-OBRecovery $items (New-OBRecoveryOption "$work/here") 6> $null
        Get-Content -LiteralPath "$work/here/src/sub/b.txt" -Raw | Should -Be 'two, and longer'
        $null = Start-OBRecovery $items (New-OBRecoveryOption "$work/there") -Async 6> $null
        Wait-TestJob
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/there/src/sub/b.txt" -Raw | Should -Be 'two, and longer'
        # The process of the job may still hold the lock, which has no content.
        $kept = Get-ChildItem $env:MSONLINEBACKUP_STATE -Recurse -File -Exclude '*.lock' | Where-Object { (Get-Content -LiteralPath $_ -Raw) -match 'sig=|a passphrase for tests' }
        $kept | Should -BeNullOrEmpty
    }

    It 'takes nothing from who may only read' {
        $credential = Export-TestCredential rl
        Enter-TestMachine reader
        $null = Start-OBRegistration -VaultCredentials $credential 6> $null
        $problem = Get-ErrorOf { Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString 'another one, for reading' -AsPlainText -Force) 6> $null }
        $problem.FullyQualifiedErrorId | Should -Match '^(VaultAccessDenied|ActivationFailed),'
    }

    It 'goes on with a renewed signature, and nothing else is set again' {
        $null = Start-OBRegistration -VaultCredentials (Export-TestCredential) 6> $null
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
        @(Get-OBAllRecoveryPoints).Count | Should -BeGreaterThan 1
    }

    It 'gets no credential file with a signature that does not open it' {
        $expired = ConvertTo-SecureString (New-TestSas journey rcl ([datetime]::UtcNow.AddHours(-1))) -AsPlainText -Force
        $other = ConvertTo-SecureString (New-TestSas another) -AsPlainText -Force
        $none = ConvertTo-SecureString 'no signature at all' -AsPlainText -Force
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $url $work -SasToken $expired }) StorageSecretExpired AuthenticationError '*expired on*'
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $url $work -SasToken $other }) VaultAccessDenied PermissionDenied
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential $url $work -SasToken $none }) StorageSecretInvalid InvalidArgument
        $null = New-OBVault "$work/folder"
        Assert-BackupError (Get-ErrorOf { Export-OBVaultCredential "$work/folder" $work -SasToken $none }) ArgumentInvalid InvalidArgument '*folder*'
    }

    It 'may demand private endpoints, which every machine learns by its credential file' {
        (Set-OBVault $url -RequirePrivateEndpoint).RequirePrivateEndpoint | Should -BeTrue
        $null = Start-OBRegistration -VaultCredentials (Export-TestCredential) 6> $null
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed -Because 'loopback is private'
        (Get-Content "$ownState/machine.json" -Raw | ConvertFrom-Json).content.registration.requiresPrivateEndpoint | Should -BeTrue
        (Set-OBVault $url -RequirePrivateEndpoint:$false).RequirePrivateEndpoint | Should -BeFalse
    }

    It 'is one for obengine too' {
        $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
        $env:AZURE_STORAGE_SAS_TOKEN = New-TestSas journey
        try {
            $points = Invoke-Obengine points --vault $url --json
            $LASTEXITCODE | Should -Be 0
            $points | Select-Object -Last 1 | Should -BeLike '*"summary"*'
            $null = Invoke-Obengine backup "$work/src" --vault $url --machine direct --limit 100M --no-proxy --quiet
            $LASTEXITCODE | Should -Be 0
            $null = Invoke-Obengine restore latest --vault $url --machine direct --to "$work/direct" --quiet
            $LASTEXITCODE | Should -Be 0
            Get-Content -LiteralPath "$work/direct$work/src/sub/b.txt" -Raw | Should -Be 'two, and longer'
        }
        finally {
            $env:OBENGINE_PASSPHRASE = $null
            $env:AZURE_STORAGE_SAS_TOKEN = $null
        }
    }

    It 'is what the example script takes by -Url' {
        & "$PSScriptRoot/../../examples/First-Backup.ps1" -Url "$($azurite.Url)/example" 6> $null | Select-Object -Last 1 | Should -Be 'report.txt is again: as it was'
    }
}
