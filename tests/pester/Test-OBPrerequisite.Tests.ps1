BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Test-OBPrerequisite' {
    It 'checks what the machine has, and makes nothing' {
        $found = Test-OBPrerequisite
        ($found | Where-Object Id -EQ PowerShell).Result | Should -Be Pass
        ($found | Where-Object Id -EQ PowerShell).Cause | Should -Be "PowerShell $($PSVersionTable.PSVersion.Major).$($PSVersionTable.PSVersion.Minor).$($PSVersionTable.PSVersion.Patch)."
        ($found | Where-Object Id -EQ DotNet).Result | Should -Be Pass
        ($found | Where-Object Id -EQ ScratchFolder).Result | Should -Be Pass
        Get-ChildItem $env:MSONLINEBACKUP_STATE | Should -BeNullOrEmpty
    }

    It 'refuses a scratch folder that is none' {
        $found = Test-OBPrerequisite -ScratchPath "$TestDrive/nowhere" | Where-Object Id -EQ ScratchFolder
        $found.Result | Should -Be Fail
        $found.Cause | Should -BeLike '*there is no such folder*'
        $null = Invoke-Obengine health --prerequisites --scratch "$TestDrive/nowhere"
        $LASTEXITCODE | Should -Be 1
    }
}
