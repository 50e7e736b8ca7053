BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $vault = Initialize-TestMachine $TestDrive
}
AfterAll { Remove-TestState }

Describe 'Export-OBMonitoringCredential' {
    It 'writes a file, once, that only its owner may read' {
        $file = Export-OBMonitoringCredential "$TestDrive/one"
        $file | Should -BeOfType System.IO.FileInfo
        if (-not $IsWindows) { (Get-Item $file.FullName).UnixMode | Should -Be '-rw-------' }
        Assert-BackupError (Get-ErrorOf { Export-OBMonitoringCredential "$TestDrive/one" }) MonitoringCredentialInvalid InvalidData
    }

    It 'writes what opens no other vault, and nothing by itself' {
        $null = New-OBVault -Path "$TestDrive/other" -WarningAction SilentlyContinue
        Assert-BackupError (Get-ErrorOf { Get-OBCompliance "$TestDrive/other" "$TestDrive/one" }) MonitoringCredentialInvalid InvalidData
        'nothing' | Set-Content "$TestDrive/two"
        Assert-BackupError (Get-ErrorOf { Get-OBCompliance $vault "$TestDrive/two" }) MonitoringCredentialInvalid InvalidData
    }
}
