BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        New-TestMachine m1, m2
        $null = Install-OBAgent m1, m2 -PackagePath (New-TestAgentPackage 9.1.0) -Force
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
}

Describe 'Uninstall-OBAgent' -Skip:$IsWindows {
    It 'removes what was put there, and nothing else' {
        $null = New-Item "$machines/m1/.local/share/obengine/mine"
        Get-OBAgent m1 | Uninstall-OBAgent -Confirm:$false -WarningVariable told -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        "$told" | Should -BeLike '*was left as it is*'
        (Get-ChildItem "$machines/m1/.local" -Recurse -File).Name | Should -Be mine
        "$machines/m1/.local/bin/obengine" | Should -Not -Exist
        (Get-OBAgent).HostName | Should -Be m2
        Assert-BackupError (Get-ErrorOf { Uninstall-OBAgent m1 -Confirm:$false -ErrorAction Stop }) AgentNotInstalled ObjectNotFound
    }

    It 'forgets machines that are no more' {
        $null = New-Item "$machines/m2/down"
        Assert-BackupError (Get-ErrorOf { Uninstall-OBAgent m2 -Confirm:$false -ErrorAction Stop }) AgentUnreachable ConnectionError
        Uninstall-OBAgent m2 -RecordOnly -Confirm:$false
        Get-OBAgent | Should -BeNullOrEmpty
        Get-TestAgentVersion m2 | Should -Be 9.1.0
    }
}
