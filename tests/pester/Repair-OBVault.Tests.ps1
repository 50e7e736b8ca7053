BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $null = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup

    # Changes one byte of the first chunk in the largest pack.
    function Set-PackDamage {
        $file = Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like '*/packs/*' | Sort-Object Length | Select-Object -Last 1
        $bytes = [System.IO.File]::ReadAllBytes($file.FullName)
        $bytes[45] = $bytes[45] -bxor 1
        $file.IsReadOnly = $false
        [System.IO.File]::WriteAllBytes($file.FullName, $bytes)
        $file
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Repair-OBVault' {
    It 'leaves a whole vault as it is' {
        $result = Repair-OBVault
        $result | Should -BeOfType MSOnlineBackup.OBRepairResult
        $result.IsRehearsal, $result.DamagedPacks.Count, $result.BytesWritten, $result.Unfinished | Should -Be $false, 0, 0, $null
        $result.PacksRead | Should -BeGreaterThan 0
        $result.Problems | Should -BeNullOrEmpty
    }

    It 'says what is damaged, mends it, and the next backup stores again what was lost' {
        $pack = Set-PackDamage
        $planned = Repair-OBVault -WhatIf -WarningAction SilentlyContinue
        $planned.IsRehearsal, $planned.DamagedPacks.Count, $planned.ChunksLost | Should -Be $true, 1, 1
        $planned.DamagedPacks[0].Object | Should -BeLike "*$($pack.Name)"
        $planned.DamagedPacks | Out-String | Should -Match "Lost Object(?s).*1 stores/"
        Test-Path -LiteralPath $pack.FullName | Should -BeTrue

        $result = Repair-OBVault -WarningVariable warnings 3> $null
        $result.ChunksLost, $result.PacksDeleted | Should -Be 1, 1
        $result.Problems[0].AffectedPaths | Should -Not -BeNullOrEmpty
        $warnings -join ' ' | Should -BeLike '*still damaged*'
        $result | Out-String | Should -Match '(?s)DamagedPacks\s*: 1.*ChunksLost\s*: 1'
        Test-Path -LiteralPath $pack.FullName | Should -BeFalse

        $null = Invoke-TestBackup
        Get-OBAllRecoveryPoints | Test-OBRecoveryPoint -Level Data | ForEach-Object Problems | Should -BeNullOrEmpty
        (Repair-OBVault -Share 100).Problems | Should -BeNullOrEmpty
    }

    It 'mends what a verification has put on record, and reads nothing else' {
        $before = (Repair-OBVault -RecordedOnly).PacksRead
        $pack = Set-PackDamage
        Get-OBAllRecoveryPoints | Select-Object -First 1 | Test-OBRecoveryPoint -Level Data 3> $null | ForEach-Object Problems | Should -Not -BeNullOrEmpty

        $result = Repair-OBVault -RecordedOnly 3> $null

        $before, $result.PacksRead | Should -Be 0, 1
        $result.DamagedPacks[0].Object | Should -BeLike "*$($pack.Name)"
        Test-Path -LiteralPath $pack.FullName | Should -BeFalse
        $null = Invoke-TestBackup
        (Repair-OBVault).Problems | Should -BeNullOrEmpty
    }

    It 'reads nothing of packs when asked to' {
        (Repair-OBVault -Share 0).PacksRead | Should -Be 0
    }
}
