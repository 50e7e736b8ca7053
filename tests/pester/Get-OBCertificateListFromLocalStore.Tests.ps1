BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBCertificateListFromLocalStore' {
    It 'lists what has a private key' {
        $certificates = @(Get-OBCertificateListFromLocalStore)
        foreach ($certificate in $certificates) { $certificate.Thumbprint | Should -Match '^[0-9A-F]{40}$' }
    }
}
