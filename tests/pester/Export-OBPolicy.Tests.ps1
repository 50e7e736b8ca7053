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

Describe 'Export-OBPolicy and Import-OBPolicy' {
    It 'write a policy, and read it back as a draft' {
        $null = New-TestPolicy | Set-OBPolicy
        $file = Get-OBPolicy | Export-OBPolicy -Path "$TestDrive/policy.json"
        $file | Should -BeOfType System.IO.FileInfo
        $null = Get-Content $file -Raw | ConvertFrom-Json

        $draft = Import-OBPolicy -Path $file.FullName
        $draft.State | Should -Be New
        $draft.PolicyName | Should -BeNullOrEmpty
        ($draft | Get-OBFileSpec).FileSpec | Should -Be $data
        $draft.RetentionPolicy.RetentionDays | Should -Be 30
        ($draft | Set-OBPolicy).State | Should -Be Existing
    }

    It 'write nothing with -WhatIf' {
        New-TestPolicy | Export-OBPolicy -Path "$TestDrive/not.json" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/not.json" | Should -Not -Exist
    }

    It 'refuse a file that is none, is not there, or cannot be written' {
        Set-Content "$TestDrive/bad.json" '{ "schedule": '
        Assert-BackupError (Get-ErrorOf { Import-OBPolicy "$TestDrive/bad.json" }) PolicyFileInvalid InvalidData
        Assert-BackupError (Get-ErrorOf { Import-OBPolicy "$TestDrive/none.json" }) PolicyFileInvalid InvalidData
        Assert-BackupError (Get-ErrorOf { New-TestPolicy | Export-OBPolicy -Path "$TestDrive/no/policy.json" }) ArgumentInvalid InvalidArgument
    }
}
