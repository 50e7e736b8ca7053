BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Test-OBConnectivity' {
    It 'asks for a vault where the machine is not registered' {
        Assert-BackupError (Get-ErrorOf { Test-OBConnectivity }) MachineNotRegistered InvalidOperation
    }

    It 'names the first layer that fails on the way to a vault in Azure, why, and what to do' {
        $test = Test-OBConnectivity http://127.0.0.1:1/devstoreaccount1/vault

        $test | Should -BeOfType MSOnlineBackup.OBEndpointTest
        @($test).Count | Should -Be 1
        $test.IsVault | Should -BeTrue
        $test.Outcome | Should -Be Failed
        $test.FailedLayer | Should -Be Tcp
        $test.Cause | Should -BeLike '*127.0.0.1:1*'
        $test.RecommendedAction | Should -Not -BeNullOrEmpty
        "$($test.Layers)" | Should -Be 'Dns: NotNeeded Tcp: Failed Proxy: NotNeeded Tls: NotNeeded Http: NotTested Clock: NotTested Authorisation: NotTested'
        $test | Out-String -Width 200 | Should -Match '127\.0\.0\.1\s+Failed\s+Tcp'
    }

    It 'tries TLS where the URL asks for it' {
        $test = Test-OBConnectivity https://127.0.0.1:1/account/vault
        ($test.Layers | Where-Object Layer -EQ Tls).Outcome | Should -Be NotTested
    }

    It 'refuses what is no URL of a container' {
        Assert-BackupError (Get-ErrorOf { Test-OBConnectivity http://example.com/account/vault }) ArgumentInvalid InvalidArgument '*plain HTTP*'
    }

    It 'says of a vault in a folder whether it can be read' {
        $vault = New-OBVault "$TestDrive/vault"
        $test = $vault | Test-OBConnectivity
        $test.Outcome | Should -Be Passed
        $test.Endpoint | Should -Be $vault.Location

        $test = Test-OBConnectivity "$TestDrive/nowhere"
        $test.Outcome | Should -Be Failed
        $test.FailedLayer | Should -Be Authorisation
        $test.Cause | Should -BeLike '*nowhere*'
    }
}
