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
        $vault.Proofs | Should -BeNullOrEmpty -Because 'there is no backup yet'
    }

    It 'says what a folder is that is no vault' {
        Assert-BackupError (Get-ErrorOf { Get-OBVault $TestDrive/nowhere }) VaultNotFound ObjectNotFound
        $null = New-Item -ItemType Directory "$TestDrive/plain"
        (Get-ErrorOf { Get-OBVault "$TestDrive/plain" }).FullyQualifiedErrorId | Should -BeLike 'VaultHeaderInvalid,*'
    }

    It "advises to mount its disk where this machine's own is gone, and not to create another" {
        $state = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$TestDrive/own-state").FullName
        try {
            $vault = Initialize-TestMachine (New-Item -ItemType Directory "$TestDrive/own").FullName
            Rename-Item $vault away
            foreach ($err in (Get-ErrorOf { Get-OBVault }), (Get-ErrorOf { Get-OBVault $vault }), (Get-ErrorOf { Set-OBVault $vault -MachineLimit 7 })) {
                Assert-BackupError $err VaultNotFound ObjectNotFound '*This machine''s vault*was not found*'
                $err.ErrorDetails.RecommendedAction | Should -BeLike '*is mounted*register again*'
                $err.ErrorDetails.RecommendedAction | Should -Not -BeLike '*create it first*'
            }
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $state
        }
    }
}
