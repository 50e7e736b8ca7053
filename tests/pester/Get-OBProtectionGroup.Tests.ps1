BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    if (-not $IsWindows) {
        . "$PSScriptRoot/Agents.ps1"
        . "$PSScriptRoot/Recovery.ps1"
        . "$PSScriptRoot/Groups.ps1"
        $null = New-OBProtectionGroup web -Machine m1 -Policy $policy -DiskVault $vault, $second
        $null = New-OBProtectionGroup sites -Machine m2 -Policy $policy -DiskVault $vault -CopyTo $cloud
    }
}

AfterAll {
    $env:OBENGINE_SSH = $null
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Get-OBProtectionGroup' -Skip:$IsWindows {
    It 'lists groups by name and by pattern' {
        (Get-OBProtectionGroup).Name | Should -Be sites, web
        (Get-OBProtectionGroup WE*).Name | Should -Be web
        Assert-BackupError (Get-ErrorOf { Get-OBProtectionGroup db -ErrorAction Stop }) GroupNotFound ObjectNotFound
        (Get-Completion 'Get-OBProtectionGroup s').CompletionText | Should -Be sites
    }

    It 'shows a disk that is not there as such, and hides no group by that' {
        Rename-Item $second away
        try {
            $web = Get-OBProtectionGroup web -WarningAction SilentlyContinue -WarningVariable told
            $web.DiskVault.State[1] | Should -Be Away
            $web.DiskVault[1].Reason | Should -BeLike '*second*'
            "$told" | Should -BeLike '*second*'
        }
        finally {
            Rename-Item "$work/away" second
        }
    }

    It 'is told the same by obengine' {
        $lines = Invoke-Obengine group list --json | ConvertFrom-Json
        ($lines | Where-Object type -EQ group).name | Should -Be sites, web
        ($lines | Where-Object type -EQ diskVault).path | Should -Be $vault, $vault, $second
        Invoke-Obengine group list web | Out-String | Should -Match '(?s)GROUP\s+MACHINES.*web\s+m1'
    }
}
