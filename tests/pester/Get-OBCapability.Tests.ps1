BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBCapability' {
    It 'says of each thing whether it can be done here, and how' {
        $found = Get-OBCapability
        $found.Name | Should -Contain KeyVault
        $found | ForEach-Object { $_.Detail | Should -Not -BeNullOrEmpty }
        ($found | Where-Object Name -EQ AlternateStreams).Support | Should -Be ($IsWindows ? 'Yes' : 'No')
        $found | Out-String -Width 160 | Should -Match 'Files\s+(Yes|Partly)\s+'
    }

    It 'takes wildcards' { (Get-OBCapability -Name VaultIn*).Name | Should -Be VaultInFolder, VaultInAzure }
}
