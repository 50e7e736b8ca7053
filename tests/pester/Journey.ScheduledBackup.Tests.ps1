BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $null = Save-TestPolicy (New-TestTree "$work/src") 3> $null

    # Nothing is on record any more: then the last time counts as not done.
    function Invoke-Timer {
        Remove-Item "$env:MSONLINEBACKUP_STATE/schedule-files.json" -ErrorAction Ignore
        Invoke-Obengine schedule run --policy files 2>&1 | Out-String
    }
}

AfterAll {
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

# What cron has from it is a number.
Describe 'A backup that a timer runs' {
    It 'ends with 0, and leaves a job' {
        Invoke-Timer | Should -BeLike '*Completed*'
        $LASTEXITCODE | Should -Be 0
        (Get-OBJob -Previous 1).JobStatus.JobState | Should -Be Completed
    }

    It 'backs up nothing by a paused policy' {
        $null = Get-OBPolicy | Set-OBPolicyState -State Paused
        try {
            Invoke-Timer | Should -BeLike '*paused*'
            $LASTEXITCODE | Should -Be 0
            Get-OBJob -Previous 9 | Should -HaveCount 1
        }
        finally {
            $null = Get-OBPolicy | Set-OBPolicyState -State Valid
        }
    }

    It 'ends with 11 while another job of the machine is in progress, and so does obengine' {
        $lock = [System.IO.File]::Open("$env:MSONLINEBACKUP_STATE/jobs.lock", 'OpenOrCreate', 'ReadWrite', 'None')
        try {
            Invoke-Timer | Should -BeLike '*another job was in progress*'
            $LASTEXITCODE | Should -Be 11
            $env:OBENGINE_PASSPHRASE = 'a passphrase for tests'
            Invoke-Obengine backup "$work/src" --vault $vault --quiet 2>&1 | Out-String | Should -BeLike '*JobInProgress*'
            $LASTEXITCODE | Should -Be 11

            # A twin of the vault is another place: its backups and those of the module do not know each other.
            $twin = (New-OBVault "$work/twin" -TwinOf $vault).Location
            Invoke-Obengine backup "$work/src" --vault $twin --quiet
            $LASTEXITCODE | Should -Be 0

            # The same place by another name is the same place.
            $null = New-Item -ItemType SymbolicLink -Path "$work/link" -Target $vault
            Invoke-Obengine backup "$work/src" --vault "$work/link" --quiet 2>&1 | Out-String | Should -BeLike '*JobInProgress*'
        }
        finally {
            $lock.Dispose()
        }

        Invoke-Obengine backup "$work/src" --vault $vault --quiet
        $env:OBENGINE_PASSPHRASE = $null
        $LASTEXITCODE | Should -Be 0
    }

    It 'ends with 10 where the vault is not there' {
        Rename-Item $vault away
        try {
            Invoke-Timer | Should -BeLike '*VaultNotFound*'
            $LASTEXITCODE | Should -Be 10
        }
        finally {
            Rename-Item "$work/away" vault
        }
    }
}
