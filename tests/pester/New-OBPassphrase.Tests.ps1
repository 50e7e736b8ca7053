BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBPassphrase' {
    It 'makes 32 characters that nobody takes for others' { New-OBPassphrase | Should -MatchExactly '^[2-9a-km-z]{32}$' }

    It 'makes another each time' { (1..100 | ForEach-Object { New-OBPassphrase } | Sort-Object -Unique).Count | Should -Be 100 }

    It 'takes the length by position' { (New-OBPassphrase 40).Length | Should -Be 40 }

    It 'refuses a length that leaves less than 128 bits to chance' { { New-OBPassphrase -Length 25 } | Should -Throw -ErrorId 'ParameterArgumentValidationError*' }
}
