BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBVersion' {
    It 'says the versions of what is at work' {
        $version = Get-OBVersion
        $version.Module | Should -Be (Get-Module MSOnlineBackup).Version
        $version.Engine | Should -Be "$($version.Module)"
        $version.PowerShell.Major | Should -Be $PSVersionTable.PSVersion.Major
        $version.DotNet.Major | Should -BeGreaterOrEqual 10
        $version.Format | Should -BeGreaterThan 0
        $version.VaultFormat | Should -BeNullOrEmpty
        $version.OperatingSystem | Should -Not -BeNullOrEmpty
    }

    It 'says what the vault asks for, which its owner decides' {
        $vault = Initialize-TestMachine $TestDrive
        (Get-OBVersion).IsAccepted | Should -BeTrue
        (Get-OBVersion).VaultMinAgentVersion | Should -BeNullOrEmpty
        (Set-OBVault $vault -MinAgentVersion 0.0.9).MinAgentVersion | Should -Be ([version] '0.0.9')
        (Get-OBVersion).VaultMinAgentVersion | Should -Be ([version] '0.0.9')
        (Get-OBVersion).IsAccepted | Should -BeTrue
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -MinAgentVersion 0.0.8 }) ArgumentInvalid InvalidArgument '*cannot be taken back*'
        Assert-BackupError (Get-ErrorOf { Set-OBVault $vault -MinAgentVersion 99.0 }) ArgumentInvalid InvalidArgument
        (Get-OBVault $vault).MinAgentVersion | Should -Be ([version] '0.0.9')
        Rename-Item $vault gone
        $version = Get-OBVersion -WarningVariable warned -WarningAction SilentlyContinue
        $version.VaultFormat | Should -BeNullOrEmpty
        "$warned" | Should -BeLike '*not known*'
    }
}
