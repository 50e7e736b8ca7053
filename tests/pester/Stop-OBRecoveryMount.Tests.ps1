BeforeDiscovery {
    $canMount = $IsLinux -and (Test-Path /dev/fuse) -and (id -u) -eq 0
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = Get-OBAllRecoveryPoints | Select-Object -First 1
    $folder = "$work/mounted"
}

AfterAll {
    Get-OBRecoveryMount | Stop-OBRecoveryMount -Force
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Stop-OBRecoveryMount' {
    It 'does not take a mount away under somebody who is in it, unless forced to' -Skip:(-not $canMount) {
        $null = Start-OBRecoveryMount $point -Path $folder
        $inside = Start-Process sleep -ArgumentList 100 -WorkingDirectory "$folder$source" -PassThru
        Assert-BackupError (Get-ErrorOf { Stop-OBRecoveryMount $folder }) MountBusy ResourceBusy
        Get-OBRecoveryMount | Should -HaveCount 1
        Stop-OBRecoveryMount $folder -Force
        Get-OBRecoveryMount | Should -BeNullOrEmpty
        Stop-Process $inside
    }

    It 'takes mounts from the pipeline, and changes nothing with -WhatIf' -Skip:(-not $canMount) {
        $null = Start-OBRecoveryMount $point -Path $folder
        $null = Start-OBRecoveryMount $point -Path "$work/second"
        Get-OBRecoveryMount | Stop-OBRecoveryMount -WhatIf
        Get-OBRecoveryMount | Should -HaveCount 2
        Get-OBRecoveryMount | Stop-OBRecoveryMount
        Get-OBRecoveryMount | Should -BeNullOrEmpty
    }

    It 'says that nothing is mounted there' {
        Assert-BackupError (Get-ErrorOf { Stop-OBRecoveryMount "$work/none" }) MountNotFound ObjectNotFound
    }
}
