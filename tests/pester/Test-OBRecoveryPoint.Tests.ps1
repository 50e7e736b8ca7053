BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Test-OBRecoveryPoint' {
    It 'passes a sound point at every level' -ForEach 'Structure', 'Packs', 'Data' {
        $test = Get-OBAllRecoveryPoints | Test-OBRecoveryPoint -Level $_
        $test | Should -BeOfType MSOnlineBackup.OBRecoveryPointTest
        $test.Passed | Should -BeTrue
        $test.Problems | Should -BeNullOrEmpty
        $test.Level | Should -Be $_
        $test.Objects | Should -BeGreaterThan 0
        $test.RestoredFiles | Should -BeNullOrEmpty
        $test | Out-String | Should -Match '(?s)Passed.*True'
    }

    It 'proves it by a trial restore, of which nothing stays' {
        $test = Get-OBRecoverableSource | Get-OBRecoverableItem | Test-OBRecoveryPoint -TrialRestorePath "$work/trial"
        $test.Passed | Should -BeTrue
        $test.RestoredFiles | Should -Be 2
        $test.VerifiedFiles | Should -Be 2
        Test-Path "$work/trial" | Should -BeFalse
    }

    It 'tries a sample, puts it on record, and draws it again by its seed' {
        (Get-OBVault).Proofs.LastTrialRestore | Should -BeNullOrEmpty -Because 'that of an item proves no point'
        $test = Get-OBAllRecoveryPoints | Test-OBRecoveryPoint -TrialRestore -TrialFiles 1 -TrialMaxBytes 1GB
        $test.Passed, $test.RestoredFiles, $test.VerifiedFiles | Should -Be $true, 1, 1
        $test.TrialSeed | Should -BeGreaterThan 0
        $again = Get-OBAllRecoveryPoints | Test-OBRecoveryPoint -TrialRestore -TrialFiles 1 -TrialSeed $test.TrialSeed -TrialRestorePath "$work/trial"
        $again.TrialSeed, $again.RestoredFiles | Should -Be $test.TrialSeed, 1
        Test-Path "$work/trial" | Should -BeFalse
        (Get-OBVault).Proofs.LastTrialRestore | Should -BeOfType datetime
        (Get-OBVault).Proofs.TrialDifferences | Should -Be 0
    }

    It 'finds a byte that was altered in the vault, and names who suffers' {
        $pack = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like '*/packs/*' | Sort-Object Length | Select-Object -Last 1
        $bytes = [System.IO.File]::ReadAllBytes($pack.FullName)
        $original = $bytes.Clone()
        foreach ($position in 40..($bytes.Length - 41)) { $bytes[$position] = $bytes[$position] -bxor 1 }
        $pack.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)
        try {
            $test = Get-OBAllRecoveryPoints | Test-OBRecoveryPoint -Level Data
        }
        finally {
            [System.IO.File]::WriteAllBytes($pack.FullName, $original)
        }

        $test.Passed | Should -BeFalse
        $test.Problems.Problem | Should -Not -BeNullOrEmpty
        $test.Problems.AffectedPaths | Should -Not -BeNullOrEmpty
    }

    It 'says which point is not there' {
        Assert-BackupError (Get-ErrorOf { Test-OBRecoveryPoint 'ffffffff' }) RecoveryPointNotFound ObjectNotFound
    }
}
