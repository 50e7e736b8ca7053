BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/ModuleFolder.ps1"
    $newer = New-TestPackage (New-TestModule "$TestDrive/newer" 1.2.4) "$TestDrive/newer.nupkg"
    $older = New-TestPackage (New-TestModule "$TestDrive/older" 1.2.2) "$TestDrive/older.nupkg"
}

AfterAll { Remove-TestState }

Describe 'Update-OBAgent' {
    It 'updates a module side by side, as PowerShell has it, and goes back' {
        $module = New-TestModule "$TestDrive/modules/MSOnlineBackup/1.2.3"
        $update = Update-OBAgent -PackagePath $newer -Path $module
        "$update" | Should -Be '1.2.3 -> 1.2.4'
        $update.Path | Should -Be "$TestDrive/modules/MSOnlineBackup/1.2.4"
        $update.PreviousPath | Should -Be $module
        $update.NeedsNewSession | Should -BeFalse
        $update.Schedules | Should -BeNullOrEmpty
        Test-OBModule $update.Path | Should -BeNullOrEmpty
        (Get-Module -ListAvailable "$TestDrive/modules/MSOnlineBackup").Version | ForEach-Object ToString | Should -Be '1.2.4', '1.2.3'

        # Of all folders that are there PowerShell sees those of versions only.
        "$(Update-OBAgent -Rollback -Path $update.Path)" | Should -Be '1.2.4 -> 1.2.3'
        (Get-Module -ListAvailable "$TestDrive/modules/MSOnlineBackup").Version | ForEach-Object ToString | Should -Be '1.2.3'
        "$(Update-OBAgent -Rollback -Path $module)" | Should -Be '1.2.3 -> 1.2.4'
    }

    It 'updates a module in a folder of its own in place, and keeps the version before' {
        $module = New-TestModule "$TestDrive/place/module"
        $null = New-Item "$TestDrive/place/other" -Value untouched
        $update = Update-OBAgent $newer -Path $module
        $update.Path, $update.PreviousPath | Should -Be $module, "$module.previous"
        Test-OBModule $module | Should -BeNullOrEmpty
        (Import-PowerShellDataFile "$module/MSOnlineBackup.psd1").ModuleVersion | Should -Be 1.2.4
        Get-ChildItem "$TestDrive/place" -Force | ForEach-Object Name | Should -Be 'module', 'module.previous', 'other'
        Update-OBAgent $newer -Path $module | ForEach-Object ToString | Should -Be '1.2.4 -> 1.2.4'
    }

    It 'refuses an older package unless it is asked for, and one that was tampered with' {
        $module = New-TestModule "$TestDrive/refused/module"
        Assert-BackupError (Get-ErrorOf { Update-OBAgent $older -Path $module }) PackageOutdated InvalidArgument '*a step back*'
        Assert-BackupError (Get-ErrorOf { Update-OBAgent -Rollback -Path $module }) PreviousVersionMissing ObjectNotFound '*No version before*'
        "$(Update-OBAgent $older -Path $module -AllowDowngrade)" | Should -Be '1.2.3 -> 1.2.2'
        $evil = New-TestPackage (New-TestModule "$TestDrive/evil" 2.0.0) "$TestDrive/evil.nupkg"
        Add-Content $evil x
        Assert-BackupError (Get-ErrorOf { Update-OBAgent $evil -Path $module }) PackageInvalid InvalidData '*damaged on its way, or changed*'
        Test-OBModule $module | Should -BeNullOrEmpty
    }

    It 'says what it would do' {
        $module = New-TestModule "$TestDrive/foreseen/module"
        Update-OBAgent $newer -Path $module -WhatIf | Should -BeNullOrEmpty
        (Import-PowerShellDataFile "$module/MSOnlineBackup.psd1").ModuleVersion | Should -Be 1.2.3
        Get-ChildItem "$TestDrive/foreseen" -Force | Should -HaveCount 1
    }
}

Describe 'Update-OBAgent of other machines' -Skip:$IsWindows {
    BeforeAll {
        . "$PSScriptRoot/Agents.ps1"
        New-TestMachine m1, m2
        $null = Install-OBAgent m1, m2 -PackagePath (New-TestAgentPackage 9.1.0) -Force
        $package = New-TestAgentPackage 9.2.0
    }

    AfterAll { $env:OBENGINE_SSH = $null }

    It 'updates them by name and by the pipeline, and goes back' {
        $agent = Update-OBAgent -HostName m1 -PackagePath $package
        $agent.Version, $agent.PreviousVersion | Should -Be 9.2.0, 9.1.0
        Get-TestAgentVersion m1 | Should -Be 9.2.0
        (Get-OBAgent | Update-OBAgent -PackagePath $package).Version | Should -Be 9.2.0, 9.2.0
        $agent = Get-OBAgent m1 | Update-OBAgent -Rollback
        $agent.Version, $agent.PreviousVersion | Should -Be 9.1.0, 9.2.0
        Get-TestAgentVersion m1 | Should -Be 9.1.0
        (Update-OBAgent -HostName m1 -Rollback).Version | Should -Be 9.2.0
    }

    It 'refuses a step back, names what is unknown, and waits for what is away' {
        Assert-BackupError (Get-ErrorOf { Update-OBAgent -HostName m1 -PackagePath (New-TestAgentPackage 9.0.0) -ErrorAction Stop }) PackageOutdated InvalidArgument '*a step back*'
        Assert-BackupError (Get-ErrorOf { Update-OBAgent -HostName m9 -ErrorAction Stop }) AgentNotInstalled ObjectNotFound
        Update-OBAgent -HostName m1 -PackagePath (New-TestAgentPackage 9.3.0) -WhatIf | Should -BeNullOrEmpty
        Get-TestAgentVersion m1 | Should -Be 9.2.0
        $null = New-Item "$machines/m2/down"
        (Update-OBAgent -HostName m2 -PackagePath $package -WarningVariable told -WarningAction SilentlyContinue).State | Should -Be Pending
        "$told" | Should -BeLike '*the next Update-OBAgent*'
    }
}

# The module itself, in a session of its own that runs while it is updated.
Describe 'Update-OBAgent of the module that runs' {
    BeforeAll {
        . "$PSScriptRoot/Recovery.ps1"
        $root = (Get-Module MSOnlineBackup).ModuleBase
        $version = (Get-Module MSOnlineBackup).Version
        $next = [version]::new($version.Major, $version.Minor + 1, 0)
        $modules = New-Item -ItemType Directory "$TestDrive/own/MSOnlineBackup"

        # What is tested, as it is installed; the next version differs by its number only.
        function Copy-Module([string] $Folder, [version] $As) {
            $null = New-Item -ItemType Directory $Folder
            Copy-Item "$root/module" $Folder -Recurse
            (Get-Content "$root/MSOnlineBackup.psd1" -Raw) -replace "(ModuleVersion\s*=\s*)'[^']*'", "`$1'$As'" | Set-Content "$Folder/MSOnlineBackup.psd1" -NoNewline
            $lines = Get-ChildItem $Folder -Recurse -File | ForEach-Object {
                '{0}  {1}' -f (Get-FileHash -LiteralPath $_.FullName).Hash.ToLowerInvariant(), [System.IO.Path]::GetRelativePath($Folder, $_.FullName).Replace('\', '/')
            }
            Set-Content "$Folder/MSOnlineBackup.sha256" $lines
            $Folder
        }

        $installed = Copy-Module "$modules/$version" $version
        $package = New-TestPackage (Copy-Module "$TestDrive/next" $next) "$TestDrive/next.nupkg"
        $work = New-TestFolder
        $source = New-TestTree "$work/src"
        $null = Initialize-TestMachine $work
        $null = Save-TestPolicy $source
        $null = Invoke-TestBackup

        function Invoke-Session([string] $Script) {
            & $shell -NoProfile -NonInteractive -Command "`$ErrorActionPreference = 'Stop'; $Script" 2>&1 | ForEach-Object ToString
        }
    }

    It 'keeps what the session has until it ends, and the next session backs up by the new version' {
        Set-Content "$source/added.txt" added
        $lines = Invoke-Session @"
Import-Module '$installed/MSOnlineBackup.psd1'
`$update = Update-OBAgent '$package' -WarningVariable told -WarningAction SilentlyContinue
"`$update", `$update.NeedsNewSession, "`$told", "`$((Get-Module MSOnlineBackup).Version)"
(Get-OBPolicy | Start-OBBackup 6> `$null).JobStatus.JobState
"@
        $lines | Should -Be "$version -> $next", 'True', "This session keeps version $version until it ends; a new session has $next.", "$version", 'Completed'

        $lines = Invoke-Session @"
`$env:PSModulePath = '$TestDrive/own' + [System.IO.Path]::PathSeparator + `$env:PSModulePath
Import-Module MSOnlineBackup
"`$((Get-Module MSOnlineBackup).Version)"
`$job = Get-OBPolicy | Start-OBBackup 6> `$null
`$job.JobStatus.JobState
"@
        $lines | Should -Be "$next", 'Completed'
    }
}
