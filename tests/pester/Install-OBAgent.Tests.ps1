BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        $package = New-TestAgentPackage 9.1.0
        New-TestMachine m1, m2, m3
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
}

Describe 'Install-OBAgent' -Skip:$IsWindows {
    It 'puts the agent on machines, side by side, and pins the keys of their hosts' {
        $agents = Install-OBAgent m1, m2 -UserName backup -Port 2222 -PackagePath $package -HostKeyFingerprint $fingerprint
        $agents.HostName | Should -Be m1, m2
        $agents.State | Should -Be Current, Current
        $agents[0].Version, $agents[0].PreviousVersion, $agents[0].Platform, $agents[0].HostKey | Should -Be 9.1.0, $null, $platform, "ED25519 $fingerprint"
        $agents[0].UserName, $agents[0].Port | Should -Be backup, 2222
        $agents[0].LastSeen | Should -BeGreaterThan ([datetime]::UtcNow.AddMinutes(-5))
        Get-TestAgentVersion m1 | Should -Be 9.1.0
        "$($agents[0])" | Should -Be m1
        ($agents | Format-Table | Out-String) | Should -BeLike '*HostName*LastSeen*'

        # The account that was named stays.
        ([pscustomobject]@{ HostName = 'm1' } | Install-OBAgent -PackagePath $package).UserName | Should -Be backup
    }

    It 'takes a key only where somebody says that it is right' {
        # Nobody can be asked there.
        $said = '' | & $shell -NoProfile -NonInteractive -Command "Import-Module '$manifest'; try { Install-OBAgent m3 -PackagePath '$package' -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId, `$_.ErrorDetails.Message }"
        $said[0] | Should -BeLike 'VaultHostUntrusted,*'
        $said[1] | Should -BeLike "*is not known yet*$fingerprint*"
        Assert-BackupError (Get-ErrorOf { Install-OBAgent m3 -PackagePath $package -Force -HostKeyFingerprint SHA256:AAAA -ErrorAction Stop }) VaultHostUntrusted SecurityError '*named was SHA256:AAAA*'
        "$machines/m3/.local" | Should -Not -Exist
        (Install-OBAgent m3 -PackagePath $package -Force).State | Should -Be Current
        Set-Content "$machines/m3/key" 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3Nb3CTTpgD6jE05aN04Zzep+8gWRQ8ue/2xa9zwhhS'
        Install-OBAgent m3 -PackagePath $package -Force -ErrorAction SilentlyContinue -ErrorVariable told | ForEach-Object State | Should -Be Failed
        Assert-BackupError $told[0] VaultHostUntrusted SecurityError '*not the one that this machine has pinned*'
    }

    It 'says of each machine what is wrong with it, and does the others' {
        $agents = Install-OBAgent m1, nowhere, m2 -PackagePath $package -Force -ErrorAction SilentlyContinue -ErrorVariable told
        $agents.HostName | Should -Be m1, m2
        Assert-BackupError $told[0] AgentUnreachable ConnectionError '*No route to host*'
        $told[0].TargetObject | Should -Be nowhere
        Assert-BackupError (Get-ErrorOf { Install-OBAgent m1 -PackagePath (New-TestAgentPackage 9.1.0 linux-riscv64) -ErrorAction Stop }) PackageInvalid InvalidData '*is for linux-riscv64*'
        Assert-BackupError (Get-ErrorOf { Install-OBAgent 'a b' -Force }) ArgumentInvalid InvalidArgument '*no name of a machine*'
    }
}
