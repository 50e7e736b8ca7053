BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = New-TestTree "$work/small"
    $null = Save-TestPolicy "$work/small"
    $null = Invoke-TestBackup
    $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem) a.txt $false
    $null = New-LargeTestTree "$work/large"
    $policy = Get-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$work/large") | Set-OBPolicy
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'While one job runs' {
    BeforeAll { $script:running = $policy | Start-OBBackup -Async }

    It 'no other begins: <What>' -TestCases @(
        @{ What = 'a backup'; Start = { $policy | Start-OBBackup 6> $null } }
        @{ What = 'a backup in the background'; Start = { $policy | Start-OBBackup -Async } }
        @{ What = 'a recovery'; Start = { Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null } }
    ) {
        $problem = Get-ErrorOf $Start
        Assert-BackupError $problem JobInProgress ResourceBusy '*another job was in progress*'
        $problem.ErrorDetails.Message | Should -BeLike "*$($running.JobId)*"
        (Get-OBJob).JobId | Should -Be $running.JobId
    }

    It 'no other begins in another session either' {
        $script = "Import-Module '$manifest'; try { Get-OBPolicy | Start-OBBackup } catch { `$_.FullyQualifiedErrorId }"
        Invoke-FreshPowerShell $script | Select-Object -Last 1 | Should -BeLike 'JobInProgress,*'
    }

    It 'what is asked of it is answered: settings, points and their contents' {
        (Get-OBPolicy).PolicyName | Should -Be $policy.PolicyName
        Get-OBAllRecoveryPoints | Should -HaveCount 1
        (Get-OBRecoverableSource).FriendlyName | Should -Contain "$work/small"
    }
}

Describe 'When it has ended' {
    It 'it was not disturbed, and the next begins' {
        Wait-TestJob
        (Get-OBJob -Previous 1).JobId | Should -Be $running.JobId
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
    }
}
