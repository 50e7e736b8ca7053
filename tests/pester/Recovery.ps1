# What the tests of jobs and recoveries share; after Common.ps1.

# A folder for a test file's sources and vaults, beside its state.
function New-TestFolder {
    (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ob-work-$(New-Guid)")).FullName
}

# A small tree: a.txt, and b.txt in the folder sub.
function New-TestTree([string] $Folder) {
    $null = New-Item -ItemType Directory -Path "$Folder/sub"
    Set-Content -LiteralPath "$Folder/a.txt" -Value 'one' -NoNewline
    Set-Content -LiteralPath "$Folder/sub/b.txt" -Value 'two, and longer' -NoNewline
    $Folder
}

# A saved policy for these folders.
function Save-TestPolicy([string[]] $Path) {
    $policy = New-OBPolicy
    $null = Add-OBFileSpec -Policy $policy -FileSpec (New-OBFileSpec -FileSpec $Path)
    $null = Set-OBSchedule -Policy $policy -Schedule (New-OBSchedule -DaysOfWeek Saturday -TimesOfDay 17:30)
    $null = Set-OBRetentionPolicy -Policy $policy -RetentionPolicy (New-OBRetentionPolicy -RetentionDays 30)
    Set-OBPolicy -Policy $policy
}

# A policy's backup, without what people see of it.
function Invoke-TestBackup {
    Get-OBPolicy | Start-OBBackup 6> $null
}

# Waits until no job runs any more.
function Wait-TestJob {
    for ($i = 0; Get-OBJob; $i++) {
        if ($i -gt 600) {
            throw "The job did not end: $(Get-OBJob | ConvertTo-Json -Depth 4)"
        }

        Start-Sleep -Milliseconds 100
    }
}

# A backup in a session of its own, once it has said a line: what it writes goes to the file out.txt of the folder.
function Start-TestBackupSession([string] $Folder, [string] $Until) {
    $script = "Import-Module '$manifest'; Get-OBPolicy | Start-OBBackup"
    $session = Start-Process $shell '-NoProfile', '-NonInteractive', '-Command', "`"$script`"" -PassThru -RedirectStandardOutput "$Folder/out.txt" -RedirectStandardError "$Folder/err.txt"
    while ((Get-Content "$Folder/out.txt") -notcontains $Until) {
        if ($session.HasExited) {
            throw "The session ended early: $(Get-Content "$Folder/out.txt", "$Folder/err.txt")"
        }

        Start-Sleep -Milliseconds 10
    }

    $session
}

# A tree that takes seconds to back up, though little of it is new: the same random content many times.
function New-LargeTestTree([string] $Folder) {
    $null = New-Item -ItemType Directory -Path $Folder
    $bytes = [byte[]]::new(64MB)
    [System.Random]::new(1).NextBytes($bytes)
    foreach ($number in 1..16) {
        [System.IO.File]::WriteAllBytes("$Folder/$number.bin", $bytes)
    }

    $Folder
}
