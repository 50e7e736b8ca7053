BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    function Get-Check([string] $Id) { Test-OBHealth | Where-Object Id -EQ $Id }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Test-OBHealth' {
    It 'says of a new machine what is missing, and what to do' {
        $health = Test-OBHealth
        $health | ForEach-Object { $_ | Should -BeOfType MSOnlineBackup.OBHealthTest }
        $health.Id | Select-Object -Unique | Should -HaveCount @($health).Count
        $registration = $health | Where-Object Id -EQ Registration
        $registration.Result | Should -Be Fail
        $registration.Fix | Should -BeLike '*Start-OBRegistration*'
        $registration.Row | Should -Be 'A57, A59'
        ($health | Where-Object Id -EQ KeyFile).Result | Should -Be NotApplicable
        $health | Out-String -Width 200 | Should -Match 'Registration\s+Fail\s+The machine'
    }

    It 'passes where all is well, and sees what somebody has broken' {
        $vault = Initialize-TestMachine $work
        $null = Save-TestPolicy (New-TestTree "$work/src")
        $null = Invoke-TestBackup
        foreach ($id in 'State', 'Registration', 'Passphrase', 'KeyFile', 'ScratchFolder', 'VaultAccess', 'AgentVersion', 'Contact', 'Policy', 'LastBackup', 'PowerShell') {
            (Get-Check $id).Result | Should -Be Pass -Because $id
        }

        (Get-Check Network).Result | Should -Be NotApplicable
        Rename-Item "$env:MSONLINEBACKUP_STATE/scratch/OnlineBackup.KEK" lost
        $key = Get-Check KeyFile
        $key.Result | Should -Be Fail
        $key.Fix | Should -BeLike '*Repair-OBKey*'
        Rename-Item "$env:MSONLINEBACKUP_STATE/scratch/lost" OnlineBackup.KEK
        Rename-Item $vault away
        (Get-Check VaultAccess).Result | Should -Be Fail
        Rename-Item "$(Split-Path $vault)/away" vault
        (Get-Check VaultAccess).Result | Should -Be Pass
    }

    It 'tells the same without PowerShell' {
        $lines = Invoke-Obengine health --json | ConvertFrom-Json
        $LASTEXITCODE | Should -Be 0
        ($lines | Where-Object { $_.type -eq 'health' -and $_.check -eq 'KeyFile' }).result | Should -Be Pass
        $lines[-1].checks | Should -Be ($lines.Count - 1)
        Invoke-Obengine health | Should -Not -BeLike '*KeyFile: *'
        Invoke-Obengine health --all | Out-String | Should -BeLike '*KeyFile: The key file*'
    }
}
