BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'New-OBPagingContext' {
    It 'begins before the first item' { (New-OBPagingContext).Position | Should -Be 0 }
}
