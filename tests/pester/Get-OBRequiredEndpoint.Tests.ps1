BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBRequiredEndpoint' {
    It 'lists what the original lists, with the published address ranges' {
        $endpoints = Get-OBRequiredEndpoint
        $endpoints | Should -BeOfType MSOnlineBackup.OBRequiredEndpoint
        $endpoints.Endpoint | Should -Contain 'www.msftconnecttest.com'
        $signIn = $endpoints | Where-Object Endpoint -EQ '*.MicrosoftOnline.com'
        $signIn.AddressRanges | Should -Be '20.190.128.0/18', '40.126.0.0/18'
        $signIn.ExpressRouteCommunity | Should -Be '12076:5060'
        $endpoints | Out-String -Width 200 | Should -Match 'MicrosoftOnline.com\s+443'
    }

    It 'begins with the host of the vault that is named' {
        (Get-OBRequiredEndpoint https://account.blob.core.windows.net/vault)[0].ToString() | Should -Be 'account.blob.core.windows.net:443'
    }

    It 'makes rules of a network security group' {
        $rules = Get-OBRequiredEndpoint -As NsgRule | ConvertFrom-Json
        $rules.properties.destinationAddressPrefix | Should -Be 'Storage', 'AzureActiveDirectory'
        $rules.properties.destinationPortRange | Should -Be '443', '443'
    }

    It 'states the community and the private endpoint as the alternative in its help' {
        $help = Get-Help Get-OBRequiredEndpoint -Full | Out-String
        $help | Should -Match '12076:5060'
        $help | Should -Match 'private\s+endpoint'
    }
}
