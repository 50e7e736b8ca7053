BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        New-TestMachine web1, web2, db1
        $null = Install-OBAgent web1, web2 -PackagePath (New-TestAgentPackage 9.1.0) -Force
        $null = Install-OBAgent db1 -PackagePath (New-TestAgentPackage 0.0.1) -Force
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
}

Describe 'Get-OBAgent' -Skip:$IsWindows {
    It 'lists what is on record, by patterns, and asks nobody' {
        $env:OBENGINE_SSH = '/there/is/none'
        (Get-OBAgent).HostName | Should -Be db1, web1, web2
        (Get-OBAgent).State | Should -Be Available, Current, Current
        (Get-OBAgent WEB*).HostName | Should -Be web1, web2
        Get-OBAgent nothing* | Should -BeNullOrEmpty
        Assert-BackupError (Get-ErrorOf { Get-OBAgent nothing -ErrorAction Stop }) AgentNotInstalled ObjectNotFound
        (Get-Completion 'Get-OBAgent w').CompletionText | Should -Be web1, web2
        $env:OBENGINE_SSH = "$TestDrive/ssh"
    }

    It 'asks the machines where it is to, and makes what is pending' {
        $null = New-Item "$machines/web1/down"
        $null = Update-OBAgent -HostName web1 -PackagePath (New-TestAgentPackage 9.2.0) -WarningAction SilentlyContinue
        Get-OBAgent web1 | ForEach-Object State | Should -Be Pending
        (Get-OBAgent web1).Reason | Should -BeLike '*No route to host*'
        Remove-Item "$machines/web1/down"
        Remove-Item "$machines/web2/.local/share/obengine/versions/*/obengine"
        $agents = Get-OBAgent web* -Refresh
        $agents.State | Should -Be Current, Failed
        $agents[0].Version | Should -Be 9.2.0
        $agents[1].Reason | Should -BeLike '*does not answer*'
    }
}
