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

Describe 'Get-OBRecoveryMount' {
    It 'lists nothing where nothing is mounted' {
        Get-OBRecoveryMount | Should -BeNullOrEmpty
    }

    It 'lists mounts by folder, and by a pattern for folders' -Skip:(-not $canMount) {
        $mount = Start-OBRecoveryMount $point -Path $folder
        (Get-OBRecoveryMount).Id | Should -Be $mount.Id
        (Get-OBRecoveryMount $folder).RecoveryPointId | Should -Be $point.RecoveryPointId
        (Get-OBRecoveryMount "$work/m*").Troubles | Should -Be 0
        Get-OBRecoveryMount "$work/other" | Should -BeNullOrEmpty
        @(Invoke-Obengine mounts --json | ConvertFrom-Json | Where-Object type -EQ mount).folder | Should -Be $folder
        Stop-OBRecoveryMount $folder
    }

    It 'finds a mount whose process was killed, and takes it off' -Skip:(-not $canMount) {
        $mount = Start-OBRecoveryMount $point -Path $folder
        Stop-Process -Id $mount.ProcessId -Force
        while (Get-Process -Id $mount.ProcessId -ErrorAction Ignore) { Start-Sleep -Milliseconds 50 }
        Get-OBRecoveryMount | Should -BeNullOrEmpty
        $null = Start-OBRecoveryMount $point -Path $folder
        Stop-OBRecoveryMount $folder
        Get-ChildItem $folder | Should -BeNullOrEmpty
    }
}
