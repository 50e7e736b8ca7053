BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBRecoveryOption' {
    It 'puts copies where the items came from, with their security, if nothing is said' {
        $option = New-OBRecoveryOption
        $option.DestinationPath | Should -BeNullOrEmpty
        $option.OverwriteType | Should -Be CreateCopy
        $option.SkipRestoreSecurity | Should -BeFalse
        $option.MapNames | Should -BeFalse
        (New-OBRecoveryOption -MapNames).MapNames | Should -BeTrue
    }

    It 'takes all by position, and the folder relative to the location' {
        Push-Location $TestDrive
        try {
            $option = New-OBRecoveryOption back overwrite -SkipRestoreSecurity
            $option.DestinationPath | Should -Be (Join-Path (Get-Location).ProviderPath back)
            $option.OverwriteType | Should -Be Overwrite
            $option.SkipRestoreSecurity | Should -BeTrue
        }
        finally {
            Pop-Location
        }
    }

    It 'refuses another word' { { New-OBRecoveryOption -OverwriteType Merge } | Should -Throw -ErrorId 'ParameterArgumentValidationError*' }
}
