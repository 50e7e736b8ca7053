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

Describe 'Get-OBRecoverableSource' {
    It 'returns the sources that have recovery points' {
        $found = Get-OBRecoverableSource
        $found | Should -BeOfType MSOnlineBackup.OBRecoverableSource
        $found.FriendlyName | Should -Be $source
        $found.RecoverySourceName | Should -Be $source
        $found.ServerName | Should -Not -BeNullOrEmpty
    }

    It 'says how a secondary region is named where none is known' {
        Assert-BackupError (Get-ErrorOf { Get-OBRecoverableSource -UseSecondaryRegion }) RecoveryOptionMissing InvalidArgument '*secondary region*'
    }

    It 'takes the name of a machine' {
        (Get-OBRecoverableSource -Server (Get-OBRecoverableSource).ServerName).FriendlyName | Should -Be $source
        $name = (Get-OBRecoverableSource).ServerName
        $err = Get-ErrorOf { Get-OBRecoverableSource -Server 'nobody' }
        Assert-BackupError $err RecoveryPointNotFound ObjectNotFound "*has no machine named 'nobody'*"
        $err.ErrorDetails.RecommendedAction | Should -BeLike "*'$name'*"
    }
}
