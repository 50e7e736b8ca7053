BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBRecoveryMount' {
    It 'says that it is not there, and what to use instead' {
        $point = Get-OBRecoverableSource | Get-OBRecoverableItem
        $problem = Get-ErrorOf { Start-OBRecoveryMount -RecoverableItem $point -Async }
        Assert-BackupError $problem NotAvailable NotImplemented
        $problem.ErrorDetails.RecommendedAction | Should -BeLike '*Start-OBRecovery*'
    }
}
