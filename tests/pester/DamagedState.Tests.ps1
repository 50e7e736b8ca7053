BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $firstMachine = $env:MSONLINEBACKUP_MACHINE
    $env:MSONLINEBACKUP_MACHINE = 'first'
    $vault = Initialize-TestMachine $work
    $null = New-TestTree "$work/src"
    $null = Save-TestPolicy "$work/src"
    $null = Invoke-TestBackup
    $state = $env:MSONLINEBACKUP_STATE
    $key = "$state/scratch/OnlineBackup.KEK"

    # Another machine of the vault, with a state of its own, where a script block runs.
    function Invoke-OnMachine([string] $Name, [string] $State, [scriptblock] $Script) {
        $own = $env:MSONLINEBACKUP_MACHINE, $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_MACHINE, $env:MSONLINEBACKUP_STATE = $Name, $State
        try { & $Script } finally { $env:MSONLINEBACKUP_MACHINE, $env:MSONLINEBACKUP_STATE = $own }
    }

    function Set-TestPassphrase([string] $Text) {
        Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString $Text -AsPlainText -Force) 6> $null
    }

    # The machine that made the vault keeps the owner's key, and issues the file.
    $ownersState = $env:MSONLINEBACKUP_STATE
    function Register-TestMachine {
        $state, $env:MSONLINEBACKUP_STATE = $env:MSONLINEBACKUP_STATE, $ownersState
        $file = Export-OBVaultCredential -Vault $vault -Path $work
        $env:MSONLINEBACKUP_STATE = $state
        $null = Start-OBRegistration -VaultCredentials $file.FullName 6> $null
    }
}

AfterAll {
    $env:MSONLINEBACKUP_MACHINE = $firstMachine
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'Start-OBBackup with a key file' {
    AfterEach {
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed -Because 'the key file is back'
    }

    It 'that was deleted says 34506, and goes on when it is made anew' {
        Remove-Item $key
        $record = Get-ErrorOf { Invoke-TestBackup }
        Assert-BackupError $record KeyFileInvalid InvalidData '*is missing*'
        $record.Exception.ErrorCode | Should -Be '34506'
        Repair-OBKey (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force)
    }

    It 'of another machine says 34506' {
        $kept = [System.IO.File]::ReadAllBytes($key)
        Invoke-OnMachine other "$work/other-state" { Register-TestMachine; Set-TestPassphrase 'a passphrase for tests' }
        Copy-Item "$work/other-state/scratch/OnlineBackup.KEK" $key
        $record = Get-ErrorOf { Invoke-TestBackup }
        [System.IO.File]::WriteAllBytes($key, $kept)
        Assert-BackupError $record KeyFileInvalid InvalidData '*another machine*'
        $record.Exception.ErrorCode | Should -Be '34506'
    }

    It 'whose folder was moved says 0x1FC07, and which folder' {
        Rename-Item "$state/scratch" moved
        $record = Get-ErrorOf { Invoke-TestBackup }
        Rename-Item "$state/moved" scratch
        Assert-BackupError $record ActivationDamaged InvalidData "*$state/scratch*was not found*"
        $record.Exception.ErrorCode | Should -Be '0x1FC07'
    }

    It 'whose folder is lost goes on when a folder in its place was made and the key repaired' {
        Remove-Item "$state/scratch" -Recurse
        (Get-ErrorOf { Invoke-TestBackup }).ErrorDetails.RecommendedAction | Should -BeLike '*empty folder in its place*Repair-OBKey*'
        $null = New-Item -ItemType Directory "$state/scratch"
        Repair-OBKey (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force)
    }

    It 'that is missing when the passphrase is changed says 0x1FC07, with that cause' {
        Rename-Item $key kept
        $record = Get-ErrorOf { Set-TestPassphrase 'another passphrase, 16' }
        Rename-Item "$state/scratch/kept" OnlineBackup.KEK
        Assert-BackupError $record ActivationDamaged InvalidData '*OnlineBackup.KEK*is missing. (0x1FC07)'
        $record.Exception.ErrorCode | Should -Be '0x1FC07'
    }
}

Describe 'A state file' {
    It '<File> <What> is told with its name by <Cmdlet>, and left as it is' -TestCases @(
        foreach ($file in @{ File = 'machine.json'; Cmdlet = 'Get-OBMachineUsage' }, @{ File = 'settings.json'; Cmdlet = 'Get-OBMachineSetting' },
            @{ File = 'secret.json'; Cmdlet = 'Get-OBMachineUsage' }) {
            $file + @{ What = 'cut short'; Damage = { $_.Substring(0, $_.Length / 2) }; Says = 'is damaged' }
            $file + @{ What = 'of a newer version'; Damage = { $_ -replace '"version": 1', '"version": 2' }; Says = 'has version 2' }
        }
    ) {
        Set-OBMachineSetting -NoThrottle 6> $null
        $path = "$state/$File"
        $whole = [System.IO.File]::ReadAllText($path)
        $damaged = $whole | ForEach-Object $Damage
        [System.IO.File]::WriteAllText($path, $damaged)
        try {
            $record = Get-ErrorOf { & $Cmdlet }
            $change = Get-ErrorOf { Set-OBMachineSetting -NoThrottle 6> $null; Set-TestPassphrase 'another passphrase, 16' }
            [System.IO.File]::ReadAllText($path) | Should -Be $damaged
        }
        finally {
            [System.IO.File]::WriteAllText($path, $whole)
        }

        Assert-BackupError $record StateInvalid InvalidData "*$File*$Says*"
        Assert-BackupError $change StateInvalid InvalidData "*$File*$Says*"
    }

    It 'of a policy that is <What> is told with its name, stops a backup, and is put right by setting the policy again' -TestCases @(
        @{ What = 'cut short'; Damage = { $_.Substring(0, $_.Length - 9) } }
        @{ What = 'of a newer version'; Damage = { $_ -replace '"version": 1', '"version": 2' } }
    ) {
        $path = "$state/policy-files.json"
        $policy = Get-OBPolicy
        $damaged = [System.IO.File]::ReadAllText($path) | ForEach-Object $Damage
        [System.IO.File]::WriteAllText($path, $damaged)
        Assert-BackupError (Get-ErrorOf { Get-OBPolicy }) StateInvalid InvalidData "*$path*"
        Assert-BackupError (Get-ErrorOf { $policy | Start-OBBackup 6> $null }) StateInvalid InvalidData "*$path*"
        [System.IO.File]::ReadAllText($path) | Should -Be $damaged
        (Set-OBPolicy $policy).PolicyName | Should -Be $policy.PolicyName
        (Invoke-TestBackup).JobStatus.JobState | Should -Be Completed
    }
}
