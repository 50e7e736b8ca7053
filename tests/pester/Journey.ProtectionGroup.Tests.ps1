# From machines with agents to recovery points on two disks and in a second place, and back after all of that was lost. The agents are this obengine, with a script in ssh's place.
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        $agentPackage = New-TestAgentPackage 9.1.0
        $program = Join-Path (Split-Path $manifest) module/bin/obengine.dll
        Set-Content "$agentPackage/obengine" "#!/bin/sh`n[ ""`$1"" != --version ] || exec echo 9.1.0`nexec dotnet '$program' ""`$@"""
        . "$PSScriptRoot/Groups.ps1"
        $data = (New-Item -ItemType Directory "$work/data").FullName
        Set-Content "$data/large" ([string]::new('x', 200000) + [guid]::NewGuid())
        Set-Content "$data/left-out.tmp" 'not this one'
        $policy = New-OBPolicy
        $null = Add-OBFileSpec $policy (New-OBFileSpec $data)
        $null = Add-OBFileSpec $policy (New-OBFileSpec *.tmp -Exclude)
        $null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Monday -TimesOfDay 21:00)
        $null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 10)
        $null = New-OBProtectionGroup web -Machine m1, m2 -Policy $policy -DiskVault $vault, $second -CopyTo $cloud -CopyRetention (New-OBRetentionPolicy -RetentionDays 30)
        $lost = $env:MSONLINEBACKUP_STATE
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work, $lost -Recurse -Force
}

Describe 'The machines of a group' -Skip:($IsWindows -or -not (Get-Command dotnet -ErrorAction Ignore)) {
    It 'back up by ssh, and their points are copied' {
        $done = Start-OBBackup -ProtectionGroup web
        $done | Should -BeOfType MSOnlineBackup.OBGroupBackup
        $done.HostName | Should -Be m1, m2
        $done.DiskVault | Should -Be $vault, $vault
        $done.Files | Should -Be 1, 1
        $done[0].Reason | Should -BeNullOrEmpty
        ($done | Out-String) | Should -Match 'HostName\s+DiskVault'
        (Get-OBVault $cloud).RecoveryPoints | Should -Be 2
        (Get-OBVault $vault).Machines | Should -Contain m1
    }

    It 'do not wait for one that is away, nor for a copy that is' {
        $null = New-Item "$machines/m1/down"
        Rename-Item $cloud away
        try {
            $done = Start-OBBackup -ProtectionGroup web -ErrorAction SilentlyContinue -ErrorVariable told -WarningAction SilentlyContinue -WarningVariable warned
            $done.RecoveryPointId[1] | Should -Not -BeNullOrEmpty
            $done[0].RecoveryPointId | Should -BeNullOrEmpty
            Assert-BackupError $told[0] AgentUnreachable ConnectionError
            "$warned" | Should -BeLike '*CopyIncomplete*'
        }
        finally {
            Remove-Item "$machines/m1/down"
            Rename-Item "$work/away" cloud
        }

        $lines = Invoke-Obengine group backup web --json | ConvertFrom-Json
        $LASTEXITCODE | Should -Be 0
        ($lines | Where-Object type -EQ groupMachine).machine | Should -Be m1, m2
        $lines[-1].failed, $lines[-1].copiesIncomplete | Should -Be 0, 0
        (Get-OBVault $cloud).RecoveryPoints | Should -Be 5
    }

    It 'go on after the server and its disks were lost' {
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/state").FullName
        Remove-Item -LiteralPath $vault, $second -Recurse -Force
        $made = Sync-OBServer -ReallocateReplica -From $cloud -EncryptionPassphrase $passphrase
        $made.PointsCopied, $made.ProtectionGroup | Should -Be 5, web
        $done = Start-OBBackup -ProtectionGroup web
        $done.HostName | Should -Be m1, m2
        $done.BytesStored | ForEach-Object { $_ | Should -BeLessThan 20000 }
    }

    It 'take none of what is for a policy of this machine' {
        Assert-BackupError (Get-ErrorOf { Start-OBBackup -ProtectionGroup web -Async }) ArgumentInvalid InvalidArgument '*-Async*'
        Assert-BackupError (Get-ErrorOf { Start-OBBackup -ProtectionGroup db }) GroupNotFound ObjectNotFound
        Start-OBBackup -ProtectionGroup web -WhatIf | Should -BeNullOrEmpty
    }
}
