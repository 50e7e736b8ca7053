BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $vault = Initialize-TestMachine $TestDrive
    $null = Save-TestPolicy (New-TestTree "$TestDrive/src")
    $null = Invoke-TestBackup
    $machine = $env:MSONLINEBACKUP_MACHINE ?? [Environment]::MachineName
}
AfterAll { Remove-TestState }

Describe 'Export-OBReport' {
    It 'writes a page that is whole' {
        $file = Export-OBReport "$TestDrive/r.html" -PricePerGib 0.02 -Currency EUR
        $file.FullName | Should -Exist
        $page = [xml](Get-Content $file -Raw)
        $page.DocumentElement.lang | Should -Be en
        $page.DocumentElement.InnerText | Should -BeLike "*$machine*files*Ok*Growth*Protection*EUR*"
        Get-ChildItem $TestDrive -Force -Filter '*.tmp' | Should -BeNullOrEmpty
    }

    It 'replaces a file only with -Force' {
        Set-Content "$TestDrive/old.json" mine
        Assert-BackupError (Get-ErrorOf { Export-OBReport "$TestDrive/old.json" }) ArgumentInvalid InvalidArgument
        Get-Content "$TestDrive/old.json" | Should -Be mine
        $null = Export-OBReport "$TestDrive/old.json" -Force
        $report = Get-Content "$TestDrive/old.json" -Raw | ConvertFrom-Json
        $report.machines[0].machine, $report.machines[0].points, $report.points | Should -Be $machine, 1, 1
        $report.cost | Should -BeNullOrEmpty
        $report.growth | Should -HaveCount 30
    }

    It 'writes CSV, also by -Format, with an objective of its own' {
        $null = Export-OBReport "$TestDrive/r.csv"
        (Import-Csv "$TestDrive/r.csv").Machine | Should -Be $machine
        [double](Import-Csv "$TestDrive/r.csv").HoursSinceSuccess | Should -BeLessThan 1
        $null = Export-OBReport "$TestDrive/r.txt" -Format Csv -RecoveryPointObjective 00:00:00.0000001 -Days 2
        $row = Import-Csv "$TestDrive/r.txt"
        $row.ObjectiveMissed, $row.State | Should -Be 1, Ok
    }

    It 'opens a vault by its passphrase' {
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = "$TestDrive/observer"
        try {
            Assert-BackupError (Get-ErrorOf { Export-OBReport "$TestDrive/o.html" $vault }) ArgumentInvalid InvalidArgument
            Assert-BackupError (Get-ErrorOf { Export-OBReport "$TestDrive/o.html" }) MachineNotRegistered InvalidOperation
            $null = Export-OBReport "$TestDrive/o.html" $vault -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force)
            "$TestDrive/o.html" | Should -Exist
        } finally {
            $env:MSONLINEBACKUP_STATE = $own
        }
    }

    It 'refuses what cannot be' {
        foreach ($call in { Export-OBReport "$TestDrive/x.pdf" }, { Export-OBReport "$TestDrive/no/x.html" }, { Export-OBReport $TestDrive -Format Html }, { Export-OBReport "$TestDrive/x.html" -Days 0 },
            { Export-OBReport "$TestDrive/x.html" -RecoveryPointObjective 0:0 }, { Export-OBReport "$TestDrive/x.html" -PricePerGib -1 }) {
            Assert-BackupError (Get-ErrorOf $call) ArgumentInvalid InvalidArgument
        }
    }

    It 'refuses before it asks anything of the vault' {
        Assert-BackupError (Get-ErrorOf { Export-OBReport "$TestDrive/if.html" -Days 0 -WhatIf }) ArgumentInvalid InvalidArgument
    }

    It 'does nothing with -WhatIf' {
        Export-OBReport "$TestDrive/if.html" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/if.html" | Should -Not -Exist
    }
}
