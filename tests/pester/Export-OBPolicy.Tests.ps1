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

Describe 'Export-OBPolicy' {
    It 'writes a policy as JSON' {
        $null = New-TestPolicy | Set-OBPolicy
        $file = Get-OBPolicy | Export-OBPolicy -Path "$TestDrive/policy.json"
        $file | Should -BeOfType System.IO.FileInfo
        Get-Content $file -Raw | ConvertFrom-Json | Should -Not -BeNullOrEmpty
    }

    It 'writes nothing with -WhatIf' {
        New-TestPolicy | Export-OBPolicy -Path "$TestDrive/not.json" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/not.json" | Should -Not -Exist
    }

    It 'names a file that cannot be written' {
        Assert-BackupError (Get-ErrorOf { New-TestPolicy | Export-OBPolicy -Path "$TestDrive/no/policy.json" }) ArgumentInvalid InvalidArgument
    }
}
