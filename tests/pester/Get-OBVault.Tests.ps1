BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBVault' {
    It 'asks for a folder where the machine is not registered' {
        Assert-BackupError (Get-ErrorOf { Get-OBVault }) MachineNotRegistered InvalidOperation
    }

    It 'shows any vault by its folder' {
        $vault = New-OBVault "$TestDrive/other" -Name Other
        (Get-OBVault "$TestDrive/other").VaultId | Should -Be $vault.VaultId
        (Get-OBVault "$TestDrive/other").Machines | Should -BeNullOrEmpty
    }

    It 'shows no cost of a vault in a folder, whatever the prices' {
        $null = New-OBVault "$TestDrive/free"
        $vault = Get-OBVault "$TestDrive/free" -PriceTable "$TestDrive/none.json"
        $vault.EstimatedCost | Should -BeNullOrEmpty
        $vault | Out-String | Should -Not -Match 'EstimatedCost'
    }

    It 'shows the vault of this machine' {
        $folder = Initialize-TestMachine $TestDrive
        $vault = Get-OBVault
        $vault.Location | Should -Be $folder
        $vault.Machines.Count | Should -Be 1
        $vault.StoredBytes | Should -BeGreaterThan 0
    }

    It 'says what a folder is that is no vault' {
        Assert-BackupError (Get-ErrorOf { Get-OBVault $TestDrive/nowhere }) VaultNotFound ObjectNotFound
        $null = New-Item -ItemType Directory "$TestDrive/plain"
        (Get-ErrorOf { Get-OBVault "$TestDrive/plain" }).FullyQualifiedErrorId | Should -BeLike 'VaultHeaderInvalid,*'
    }
}
