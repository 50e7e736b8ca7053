BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $null = New-TestTree "$work/small"
    $null = Save-TestPolicy "$work/small"
    $null = Invoke-TestBackup
    $item = New-OBRecoverableItem (Get-OBRecoverableSource | Get-OBRecoverableItem) a.txt -IsDir $false
    $null = New-LargeTestTree "$work/large"
    $policy = Get-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec "$work/large") | Set-OBPolicy
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

# Held where it is, so that it runs as long as the tests need it to.
Describe 'While one job runs' -Skip:$IsWindows {
    BeforeAll {
        $session = Start-TestBackupSession $work -Until 'Transferring data...'
        & kill -STOP $session.Id
        $running = Get-OBJob
    }

    AfterAll {
        & kill -CONT $session.Id
        $session.WaitForExit()
    }

    It 'no other begins: <What>' -TestCases @(
        @{ What = 'a backup'; Start = { $policy | Start-OBBackup 6> $null } }
        @{ What = 'a backup in the background'; Start = { $policy | Start-OBBackup -Async } }
        @{ What = 'maintenance'; Start = { Invoke-OBMaintenance } }
        @{ What = 'a recovery'; Start = { Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null } }
    ) {
        $problem = Get-ErrorOf $Start
        Assert-BackupError $problem JobInProgress ResourceBusy '*another job was in progress*'
        $problem.ErrorDetails.Message | Should -BeLike "*$($running.JobId)*"
        (Get-OBJob).JobId | Should -Be $running.JobId
    }

    It 'what is asked of it is answered: settings, points and their contents' {
        (Get-OBPolicy).PolicyName | Should -Be $policy.PolicyName
        Get-OBAllRecoveryPoints | Should -HaveCount 1
        (Get-OBRecoverableSource).FriendlyName | Should -Contain "$work/small"
    }
}

Describe 'When it has ended' -Skip:$IsWindows {
    It 'it was not disturbed, and the next begins' {
        Get-OBJob -Previous 9 | Should -HaveCount 2
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
        (Start-OBRecovery $item (New-OBRecoveryOption "$work/back") 6> $null).JobStatus.JobState | Should -Be Completed
        Get-Content -LiteralPath "$work/back/a.txt" -Raw | Should -Be one
    }
}
