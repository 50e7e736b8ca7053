BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $null = Initialize-TestMachine $TestDrive
    $data = (New-Item -ItemType Directory -Path "$TestDrive/data").FullName
    function New-TestPolicy {
        New-OBPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec $data) | Set-OBSchedule -Schedule (New-OBSchedule) |
            Set-OBRetentionPolicy -RetentionPolicy (New-OBRetentionPolicy 30)
    }
}
AfterAll { Remove-TestState }

Describe 'Import-OBPolicy' {
    It 'reads what was exported, as a draft that can be saved' {
        $file = New-TestPolicy | Set-OBPolicy | Export-OBPolicy -Path "$TestDrive/policy.json"

        $draft = Import-OBPolicy -Path $file.FullName
        $draft.State | Should -Be New
        $draft.PolicyName | Should -BeNullOrEmpty
        ($draft | Get-OBFileSpec).FileSpec | Should -Be $data
        $draft.RetentionPolicy.RetentionDays | Should -Be 30
        ($draft | Set-OBPolicy).State | Should -Be Existing
    }

    It 'refuses a file that is none, or is not there' {
        Set-Content "$TestDrive/bad.json" '{ "schedule": '
        Assert-BackupError (Get-ErrorOf { Import-OBPolicy "$TestDrive/bad.json" }) PolicyFileInvalid InvalidData
        Assert-BackupError (Get-ErrorOf { Import-OBPolicy "$TestDrive/none.json" }) PolicyFileInvalid InvalidData
    }
}
