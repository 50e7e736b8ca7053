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

Describe 'Get-OBPolicy' {
    It 'returns nothing before there is one' { Get-OBPolicy | Should -BeNullOrEmpty }

    It 'returns what was saved' {
        $draft = New-TestPolicy | Add-OBFileSpec -FileSpec (New-OBFileSpec '*.tmp' -Exclude) |
            Add-OBFileSpec -FileSpec (New-OBFileSpec "$data/cache" -Exclude -NonRecursive)
        $null = Set-OBPolicy $draft
        $policy = Get-OBPolicy
        $policy.State | Should -Be Existing
        ($policy | Get-OBFileSpec).FileSpec | Should -Be $data, '*.tmp', "$data/cache"
        ($policy | Get-OBFileSpec).IsRecursive | Should -Be $true, $true, $false
        "$($policy.BackupSchedule)" | Should -Be "9:00 PM`nSunday,`nEvery week"
        $policy.RetentionPolicy.RetentionDays | Should -Be 30
    }

    It 'returns a draft of its own each time' {
        (Get-OBPolicy).RetentionPolicy.RetentionDays = 99
        (Get-OBPolicy).RetentionPolicy.RetentionDays | Should -Be 30
    }
}
