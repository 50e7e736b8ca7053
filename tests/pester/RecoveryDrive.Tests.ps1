# Drives of recovery points: New-PSDrive -PSProvider OBRecovery.
BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Recovery.ps1"
    $work = New-TestFolder
    $vault = Initialize-TestMachine $work
    $source = New-TestTree "$work/src"
    $null = New-Item -ItemType Directory -Path "$source/many", "$source/odd", "$source/docs/deep/er"
    foreach ($number in 1..5000) { [System.IO.File]::WriteAllText("$source/many/f$number.dat", "$number") }
    $odd = @('a[1].txt', 'ünï 中文 🙂.txt', 'two  spaces.txt', "it's.txt", '`tick.txt', '$money.txt') + ($IsWindows ? @() : @('back\slash.txt', 'q?*.txt', "line`nend.txt", '<41>.txt'))
    foreach ($name in $odd) { [System.IO.File]::WriteAllText("$source/odd/$name", "text of $name") }
    foreach ($name in 'docs/one.odt', 'docs/deep/two.odt', 'docs/deep/er/ünï.odt') { [System.IO.File]::WriteAllText("$source/$name", "a text of $name") }
    [System.IO.File]::WriteAllText("$source/.hidden", 'hidden')
    [System.IO.File]::WriteAllText("$source/empty", '')
    [System.IO.File]::WriteAllLines("$source/lines.txt", [string[]] (1..2000 | ForEach-Object { "line $_" }))
    [System.IO.File]::WriteAllText("$source/utf16.txt", "ünï`n中文", [System.Text.UnicodeEncoding]::new($false, $false))
    [System.IO.File]::WriteAllBytes("$source/big.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(5MB + 7))
    # More than is kept in memory.
    [System.IO.File]::WriteAllBytes("$source/huge.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(96MB))
    [System.IO.File]::WriteAllBytes("$source/away.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(300KB))
    $sparse = [System.IO.File]::Create("$source/sparse.bin")
    $sparse.SetLength(40MB)
    foreach ($at in 3MB, (30MB + 5)) { $sparse.Position = $at; $sparse.Write([System.Security.Cryptography.RandomNumberGenerator]::GetBytes(5000)) }
    $sparse.Dispose()
    [System.IO.File]::SetLastWriteTimeUtc("$source/docs/one.odt", [datetime]::new(1965, 4, 3, 2, 1, 0, [System.DateTimeKind]::Utc).AddTicks(1234567))
    [System.IO.File]::SetLastWriteTimeUtc("$source/docs/deep/two.odt", [datetime]::new(2106, 4, 3, 2, 1, 0, [System.DateTimeKind]::Utc).AddTicks(7))
    $null = New-Item -ItemType SymbolicLink -Path "$source/tosub" -Target sub
    $null = New-Item -ItemType SymbolicLink -Path "$source/up" -Target ..
    $null = Save-TestPolicy $source
    $null = Invoke-TestBackup
    $point = (Get-OBAllRecoveryPoints)[0]
    $id = $point.RecoveryPointId
    $null = New-PSDrive -Name R -PSProvider OBRecovery -Root $id -Scope Global
    $r = "R:$source"

    # What went wrong in the vault, below what PowerShell makes of it.
    function Get-Cause($Record) {
        for ($cause = $Record.Exception; $null -ne $cause; $cause = $cause.InnerException) {
            if ($cause.GetType().Name -eq 'BackupException') { return $cause.Id }
        }

        throw "No error of the vault: $($Record.Exception)"
    }

    # By what a file's bytes are told apart, read as a stream of the drive.
    function Get-DriveHash([string] $LiteralPath) {
        $sha = [System.Security.Cryptography.IncrementalHash]::CreateHash('SHA256')
        Get-Content -LiteralPath $LiteralPath -AsByteStream -ReadCount 1MB | ForEach-Object { $sha.AppendData([byte[]] $_) }
        [System.Convert]::ToHexString($sha.GetHashAndReset())
    }

    # What a session keeps open for its drives.
    function Get-Volume {
        $type = (Get-PSProvider OBRecovery).ImplementingType.Assembly.GetType('MSOnlineBackup.Drives.RecoveryVolumes')
        $kept = $type.GetField('_volumes', 'Instance, NonPublic').GetValue($type.GetProperty('OfSession').GetValue($null))
        @($kept.Values)
    }
}

AfterAll {
    Set-Location -LiteralPath $PSScriptRoot
    Remove-PSDrive R -Scope Global -ErrorAction Ignore
    Remove-TestState
    Remove-Item -LiteralPath $work -Recurse -Force
}

Describe 'A drive of recovery points' {
    It 'comes and goes with the module' {
        $told = Invoke-FreshPowerShell "
            Import-Module '$manifest'; (Get-PSProvider OBRecovery).Name
            `$null = New-PSDrive -Name R -PSProvider OBRecovery -Root '$id'; (Get-ChildItem R:/).Count
            Import-Module '$manifest' -Force; @(Get-PSDrive R -ErrorAction Ignore).Count; (Get-PSProvider OBRecovery).Drives.Count
            `$null = New-PSDrive -Name R -PSProvider OBRecovery -Root '$id'; (Get-ChildItem R:/).Count
            Remove-Module MSOnlineBackup; @(Get-PSDrive R -ErrorAction Ignore).Count; @(Get-PSProvider OBRecovery -ErrorAction Ignore).Count
            [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.ForEach({ `$_.GetName().Name }) -like 'MSOnlineBackup*'"
        $told | Should -Be OBRecovery, 1, 0, 0, 1, 0, 0, MSOnlineBackup.Loader
    }

    It 'has the root that <Form> names' -TestCases @(
        @{ Form = 'an id'; Root = { $id } }
        @{ Form = 'the beginning of an id'; Root = { $id.Substring(0, 14) } }
        @{ Form = 'latest'; Root = { 'Latest' } }
        @{ Form = 'a point of the list of all'; Root = { $point } }
        @{ Form = 'a point of a source'; Root = { Get-OBRecoverableItem -Source $source } }
        @{ Form = 'a time'; Root = { $point.BackupTime.ToString('o') } }
        @{ Form = 'a folder of an id'; Root = { "$($id)$source/docs/" }; Below = '/docs' }
        @{ Form = 'a folder of the newest'; Root = { "latest$source/docs" }; Below = '/docs' }
        @{ Form = 'an item'; Root = { Get-OBRecoverableItem (Get-OBRecoverableItem -Source $source) | Where-Object Name -EQ docs }; Below = '/docs' }
    ) {
        $drive = New-PSDrive -Name Q -PSProvider OBRecovery -Root (& $Root)
        $drive.Root.Replace('\', '/') | Should -Be ((Get-Variable Below -ValueOnly -ErrorAction Ignore) ? "$($id)$source/docs" : $id)
        $drive.Description | Should -BeLike "*$($point.BackupTime.ToString('u'))*"
        @(Get-ChildItem Q:/).Count | Should -BeGreaterThan 0
    }

    It 'says what it cannot show' -TestCases @(
        @{ Root = 'ffffffff'; Id = 'RecoveryPointNotFound' }
        @{ Root = '2001-02-03 04:05:06Z /home'; Id = 'RecoveryPointNotFound' }
        @{ Root = 'latest/no/such'; Id = 'RecoverableItemNotFound' }
    ) {
        $problem = Get-ErrorOf { New-PSDrive -Name Q -PSProvider OBRecovery -Root $Root }
        $problem.FullyQualifiedErrorId | Should -Be "$Id,Microsoft.PowerShell.Commands.NewPSDriveCommand"
        $problem.CategoryInfo.Category | Should -Be ObjectNotFound
        $problem.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Get-PSDrive Q -ErrorAction Ignore | Should -BeNullOrEmpty
    }

    It 'lists what a listing of the folder would: <With>' -TestCases @(
        @{ With = 'a folder'; In = ''; Given = @{} }
        @{ With = 'with all that is hidden'; In = ''; Given = @{ Force = $true } }
        @{ With = 'below, by a filter'; In = ''; Given = @{ Recurse = $true; Filter = '*.odt' } }
        @{ With = 'to a depth'; In = '/docs'; Given = @{ Recurse = $true; Depth = 1 } }
        @{ With = 'without some'; In = '/docs'; Given = @{ Recurse = $true; Exclude = 'o*' } }
        @{ With = 'by a pattern'; In = '/docs'; Given = @{ Recurse = $true; Include = '*.odt', 'a.*' } }
        @{ With = 'only files'; In = '/docs'; Given = @{ File = $true; Recurse = $true } }
        @{ With = 'only folders'; In = '/docs'; Given = @{ Directory = $true; Recurse = $true } }
    ) {
        $names = (Get-ChildItem -LiteralPath "$source$In" @Given).Name | Sort-Object
        $names | Should -Not -BeNullOrEmpty
        (Get-ChildItem -LiteralPath "$r$In" @Given).Name | Sort-Object | Should -Be $names
        ("$r$In" | Get-ChildItem @Given).Name | Sort-Object | Should -Be $names
    }

    It 'has all of the tree as it was: names, lengths, times and every byte' {
        $before = Get-ChildItem -LiteralPath $source -Recurse -Force | Where-Object { -not $_.LinkTarget }
        $shown = Get-ChildItem -LiteralPath $r -Recurse -Force | Where-Object { -not $_.LinkTarget }
        $nameOf = { $_.FullName.Substring($source.Length + 1).Replace('\', $IsWindows ? '/' : '<5c>').Replace("`n", '<0a>').Replace('<41>', '<3c>41>') }
        $there = @{}
        $root = "$id$source/".Replace('\', '/')
        foreach ($item in $shown) {
            $path = $item.PSPath.Replace('\', '/')
            $there[$path.Substring($path.IndexOf($root) + $root.Length)] = $item
        }

        @($before | ForEach-Object $nameOf | Sort-Object) | Should -Be @($there.Keys | Sort-Object)
        foreach ($item in $before) {
            $name = $item | ForEach-Object $nameOf
            $same = $there[$name]
            $same.PSIsContainer | Should -Be $item.PSIsContainer -Because $name
            $same.LastWriteTime.ToUniversalTime().Ticks | Should -Be $item.LastWriteTimeUtc.Ticks -Because $name
            if (-not $item.PSIsContainer) { $same.Length | Should -Be $item.Length -Because $name }
        }

        # Of the many that are alike some.
        $files = $before | Where-Object { -not $_.PSIsContainer -and $_.Name -notmatch '^f\d*[1-9]\d\.dat$' }
        $files.Count | Should -BeGreaterThan 60
        foreach ($file in $files) {
            $name = $file | ForEach-Object $nameOf
            # Get-FileHash takes every backslash for a separator.
            $hash = [System.Security.Cryptography.SHA256]::HashData([System.IO.File]::ReadAllBytes($file.FullName))
            Get-DriveHash "$r/$name" | Should -Be ([System.Convert]::ToHexString($hash)) -Because $name
        }
    }

    It 'takes a pattern in place of a folder, and looks below where one is' {
        (Get-ChildItem "$r/*.txt").Name | Should -Be a.txt, lines.txt, utf16.txt
        Push-Location $r
        try {
            (Get-ChildItem -Recurse *.odt).Name | Sort-Object | Should -Be (Get-ChildItem $source -Recurse -Filter *.odt | Sort-Object Name).Name
            (Get-ChildItem docs -Recurse -Name).Replace('\', '/') | Sort-Object | Should -Be deep, deep/er, deep/er/ünï.odt, deep/two.odt, one.odt
        }
        finally {
            Pop-Location
        }
    }

    It 'lists 5,000 files of a folder, and finds one of them' {
        $files = Get-ChildItem "$r/many"
        $files | Should -HaveCount 5000
        ($files | Measure-Object Length -Sum).Sum | Should -Be ((Get-ChildItem "$source/many" | Measure-Object Length -Sum).Sum)
        (Get-ChildItem "$r/many/f49?9.dat").Name | Sort-Object | Should -Be (Get-ChildItem "$source/many/f49?9.dat").Name
        (Get-ChildItem "$r/many" | Select-Object -First 1).Name | Should -Be f1.dat
        Get-Content "$r/many/f4321.dat" | Should -Be 4321
    }

    It 'shows items as files are shown' {
        $file = Get-Item "$r/a.txt"
        $file | Should -BeOfType MSOnlineBackup.OBRecoveryDriveItem
        $file | Should -BeOfType MSOnlineBackup.OBRecoverableItem
        $file.Name, $file.Extension, $file.Length, $file.IsDir, $file.PSIsContainer | Should -Be a.txt, .txt, 3, $false, $false
        $file.LastWriteTime | Should -Be (Get-Item -LiteralPath "$source/a.txt").LastWriteTime
        $file.ItemNameFriendly, $file.RecoveryPointId, $file.ServerName | Should -Be "$source/a.txt", $id, (Get-OBRecoverableItem -Source $source).ServerName
        (Get-Item "$r/sub").PSIsContainer | Should -BeTrue
        (Get-Item "$r/tosub").LinkTarget | Should -Be sub
        Get-ChildItem $r | Out-String | Should -Match '(?s)Directory: R:.*Mode +LastWriteTime +Length +Name.* 3 a\.txt'
        if (-not $IsWindows) { $file.Mode | Should -Be (Get-Item -LiteralPath "$source/a.txt").UnixMode }
        "$file" | Should -Be "$($point.BackupTime.ToString('u')) $source/a.txt"
    }

    It 'has names that no path can hold, and takes brackets as they are by -LiteralPath' {
        foreach ($name in $odd) {
            $shown = $name.Replace('\', '<5c>').Replace("`n", '<0a>').Replace('<41>', '<3c>41>')
            Test-Path -LiteralPath "$r/odd/$shown" | Should -BeTrue -Because $name
            Get-Content -LiteralPath "$r/odd/$shown" -Raw | Should -Be "text of $name"
            (Get-Item -LiteralPath "$r/odd/$shown").Name | Should -Be $shown
            (Get-ChildItem "$r/odd" | Where-Object Name -EQ $shown | Get-Content -Raw) | Should -Be "text of $name"
        }

        Test-Path "$r/odd/a[1].txt" | Should -BeFalse
        Get-Content "$r/odd/a``[1``].txt" | Should -Be 'text of a[1].txt'
        Get-Content "$r/odd/ünï*" | Should -Be 'text of ünï 中文 🙂.txt'
    }

    It 'is walked through like a disk' {
        Push-Location "$r/docs"
        try {
            Set-Location deep/er
            (Get-ChildItem).Name | Should -Be ünï.odt
            Set-Location ..
            (Get-Location).Path.Replace('\', '/') | Should -Be "$r/docs/deep"
            (Resolve-Path ../one.odt).Path.Replace('\', '/') | Should -Be "$r/docs/one.odt"
            (Resolve-Path *.odt -Relative).Replace('\', '/') | Should -Be ./two.odt
            Split-Path (Get-Location) -Leaf | Should -Be deep
            (Split-Path "$r/docs/one.odt").Replace('\', '/') | Should -Be "$r/docs"
            Test-Path two.odt | Should -BeTrue
            Test-Path two.odt -PathType Container | Should -BeFalse
            Test-Path er -PathType Container | Should -BeTrue
            Test-Path none | Should -BeFalse
            (Get-Item .).Name | Should -Be deep
        }
        finally {
            Pop-Location
        }

        (Get-ErrorOf { Set-Location "$r/none" }).CategoryInfo.Category | Should -Be ObjectNotFound
        (Get-ErrorOf { Get-Item "$r/none" }).CategoryInfo.Category | Should -Be ObjectNotFound
    }

    It 'follows links within the point, and none in circles' {
        Get-Content "$r/tosub/b.txt" | Should -Be 'two, and longer'
        (Get-ChildItem "$r/tosub").Name | Should -Be b.txt
        Test-Path "$r/up" | Should -BeTrue
        Test-Path "$r/up/src" | Should -BeFalse
        (Get-Item "$r/tosub/b.txt").ItemNameFriendly | Should -Be "$source/sub/b.txt"
    }

    It 'gives what files hold: <Way>' -TestCases @(
        @{ Way = 'lines'; File = 'lines.txt'; Given = @{} }
        @{ Way = 'the first lines'; File = 'lines.txt'; Given = @{ TotalCount = 3 } }
        @{ Way = 'lines by the hundred'; File = 'lines.txt'; Given = @{ ReadCount = 100 } }
        @{ Way = 'all at once'; File = 'lines.txt'; Given = @{ Raw = $true } }
        @{ Way = 'another encoding'; File = 'utf16.txt'; Given = @{ Encoding = 'unicode' } }
        @{ Way = 'parts'; File = 'lines.txt'; Given = @{ Delimiter = 'line' } }
        @{ Way = 'bytes'; File = 'lines.txt'; Given = @{ AsByteStream = $true; ReadCount = 0 } }
        @{ Way = 'the first bytes'; File = 'big.bin'; Given = @{ AsByteStream = $true; TotalCount = 5 } }
        @{ Way = 'an empty file'; File = 'empty'; Given = @{} }
    ) {
        $wanted = @(Get-Content -LiteralPath "$source/$File" @Given)
        $found = @(Get-Content -LiteralPath "$r/$File" @Given)
        $found.Count | Should -Be $wanted.Count
        $found | ForEach-Object { "$_" } | Should -Be @($wanted | ForEach-Object { "$_" })
    }

    It 'has no content of a folder' {
        $problem = Get-ErrorOf { Get-Content "$r/docs" }
        $problem.FullyQualifiedErrorId | Should -BeLike 'RestoreItemFailed,*'
        $problem.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'gives bytes as they were' {
        $bytes = Get-Content "$r/big.bin" -AsByteStream -Raw
        [System.Convert]::ToHexString([System.Security.Cryptography.SHA256]::HashData($bytes)) | Should -Be (Get-FileHash "$source/big.bin").Hash
        $sha = [System.Security.Cryptography.IncrementalHash]::CreateHash('SHA256')
        Get-ChildItem "$r/big.bin" | Get-Content -AsByteStream -ReadCount 100000 | ForEach-Object { $sha.AppendData([byte[]] $_) }
        [System.Convert]::ToHexString($sha.GetHashAndReset()) | Should -Be (Get-FileHash "$source/big.bin").Hash
        (Get-Content "$r/lines.txt" | Select-String 'line 199\d').Count | Should -Be 10
    }

    It 'brings back what is piped into Start-OBRecovery, byte by byte' {
        $option = New-OBRecoveryOption -DestinationPath "$work/out"
        Push-Location $r
        try { $job = Get-ChildItem -Recurse *.odt | Start-OBRecovery -RecoveryOption $option 6> $null }
        finally { Pop-Location }
        $job.JobStatus.JobState | Should -Be Completed
        $back = Get-ChildItem "$work/out" -Recurse -File
        $back | Should -HaveCount 3
        foreach ($file in $back) {
            $before = Get-ChildItem $source -Recurse -Filter $file.Name
            (Get-FileHash -LiteralPath $file.FullName).Hash | Should -Be (Get-FileHash -LiteralPath $before.FullName).Hash
        }

        $job = Get-Item -LiteralPath "$r/odd" | Start-OBRecovery -RecoveryOption (New-OBRecoveryOption -DestinationPath "$work/out2") 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        (Get-ChildItem "$work/out2" -Recurse -File).Name | Sort-Object | Should -Be ($odd | Sort-Object)
    }

    It 'refuses <Name>, and says what to do' -TestCases @(
        @{ Name = 'New-Item'; Call = { New-Item "$r/new.txt" } }
        @{ Name = 'Set-Content'; Call = { Set-Content "$r/a.txt" new } }
        @{ Name = 'Add-Content'; Call = { Add-Content "$r/a.txt" new } }
        @{ Name = 'Clear-Content'; Call = { Clear-Content "$r/a.txt" } }
        @{ Name = 'Remove-Item'; Call = { Remove-Item "$r/sub" -Recurse } }
        @{ Name = 'Rename-Item'; Call = { Rename-Item "$r/a.txt" b.txt } }
        @{ Name = 'Copy-Item within'; Call = { Copy-Item "$r/a.txt" "$r/b.txt" } }
        @{ Name = 'Move-Item within'; Call = { Move-Item "$r/a.txt" "$r/b.txt" } }
        @{ Name = 'Set-Item'; Call = { Set-Item "$r/a.txt" 1 } }
        @{ Name = 'Clear-Item'; Call = { Clear-Item "$r/a.txt" } }
        @{ Name = 'Invoke-Item'; Call = { Invoke-Item "$r/a.txt" } }
    ) {
        $problem = Get-ErrorOf $Call
        $problem.FullyQualifiedErrorId | Should -BeLike 'DriveReadOnly,*'
        $problem.CategoryInfo.Category | Should -Be PermissionDenied
        "$problem" | Should -BeLike '*R:*only read*'
        $problem.ErrorDetails.RecommendedAction | Should -BeLike '*Start-OBRecovery*'
        Get-Content "$r/a.txt" | Should -Be one
    }

    It 'says how items come to a disk, where PowerShell cannot: <Name>' -TestCases @(
        @{ Name = 'Copy-Item'; Call = { Copy-Item "$r/a.txt" $work } }
        @{ Name = 'Move-Item'; Call = { Move-Item "$r/a.txt" $work } }
    ) {
        "$(Get-ErrorOf $Call)" | Should -BeLike '*within a provider only*Start-OBRecovery*'
        Test-Path "$work/a.txt" | Should -BeFalse
    }

    It 'completes paths, points and encodings' {
        (Get-Completion "Get-Content $r/li").CompletionText.Replace('\', '/') | Should -Be "$r/lines.txt"
        (Get-Completion "Get-Item $r/odd/a").CompletionText.Replace('\', '/').Replace('`', '') | Should -Be "'$r/odd/a[1].txt'"
        (Get-Completion "Get-ChildItem $r/docs/deep/er/").CompletionText.Replace('\', '/') | Should -Be "$r/docs/deep/er/ünï.odt"
        $roots = (Get-Completion 'New-PSDrive -Name Q -PSProvider OBRecovery -Root ').CompletionText.Trim("'")
        $roots[0..1] | Should -Be latest, '*'
        [datetime] $roots[2] | Should -Be $point.BackupTime.ToLocalTime().AddTicks(-($point.BackupTime.Ticks % 10000000))
        (Get-Completion 'New-PSDrive -Name Q -PSProvider OBRecovery -Ma').CompletionText | Should -Be '-MachineName'
        (Get-Completion "Get-Content $r/a.txt -Encoding utf8").CompletionText | Should -Be utf8, utf8BOM, utf8NoBOM
        (Get-Completion "Copy-Item $r/li").CompletionText.Replace('\', '/') | Should -Be "$r/lines.txt"
    }

    It 'shows all points of the vault: machines, points by time, and the newest as latest' {
        $null = New-PSDrive -Name A -PSProvider OBRecovery -Root '*'
        $machine = (Get-OBRecoverableItem -Source $source).ServerName
        (Get-ChildItem A:/).Name | Should -Be $machine
        $shown = Get-ChildItem "A:/$machine"
        $shown | Should -HaveCount 2
        $shown.RecoveryPointId | Should -Be $id, $id
        Get-Content "A:/$machine/latest$source/a.txt" | Should -Be one
        (Get-Item "A:/$machine/latest$source/a.txt").RecoveryPointId | Should -Be $id
        Assert-BackupError (Get-ErrorOf { Get-Item "A:/$machine" | Start-OBRecovery }) ArgumentInvalid InvalidArgument '*folder of recovery points*'
        $job = Get-Item "A:/$machine/latest$source/sub" | Start-OBRecovery -RecoveryOption (New-OBRecoveryOption -DestinationPath "$work/out3") 6> $null
        $job.JobStatus.JobState | Should -Be Completed
        (Get-ChildItem "$work/out3" -Recurse -File).Name | Should -Be b.txt
    }

    It 'shares with other drives what it shows, and frees it with the last' {
        $null = New-PSDrive -Name X -PSProvider OBRecovery -Root $id
        $null = New-PSDrive -Name Y -PSProvider OBRecovery -Root "$id$source"
        $null = Test-Path X:/, Y:/, R:/
        Get-Volume | Should -HaveCount 1
        Remove-PSDrive X, Y
        Get-Volume | Should -HaveCount 1
        Remove-PSDrive R -Scope Global
        Get-Volume | Should -HaveCount 0
        $null = New-PSDrive -Name R -PSProvider OBRecovery -Root $id -Scope Global
        Test-Path "$r/a.txt" | Should -BeTrue
    }

    It 'stops at once when it is told to' {
        $shell = [powershell]::Create().AddScript("Import-Module '$manifest'; `$null = New-PSDrive -Name R -PSProvider OBRecovery -Root '$id'; 'ready'; while (`$true) { Get-ChildItem '$r' -Recurse -Force | Out-Null }")
        try {
            $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
            $run = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
            while ($output.Count -eq 0 -and -not $run.IsCompleted) { Start-Sleep -Milliseconds 20 }
            $shell.Stop()
            $shell.InvocationStateInfo.State | Should -Be Stopped
        }
        finally {
            $shell.Dispose()
        }
    }

    It 'says that the vault is away, and goes on when it is back' {
        $null = New-PSDrive -Name W -PSProvider OBRecovery -Root $id
        (Get-ChildItem "W:$source/docs").Count | Should -BeGreaterThan 0
        Rename-Item -LiteralPath $vault away
        try { $problem = Get-ErrorOf { Get-Content "W:$source/away.bin" -AsByteStream -TotalCount 1 } }
        finally { Rename-Item -LiteralPath "$work/away" vault }
        "$problem" | Should -BeLike "*vault*"
        Get-Cause $problem | Should -Be VaultUnreachable
        (Get-Content "W:$source/away.bin" -AsByteStream -TotalCount 4) | Should -HaveCount 4
        Remove-PSDrive W
    }

    It 'breaks off where the vault goes away in the middle of a file, and gives all of it when it is back' {
        $null = New-PSDrive -Name W -PSProvider OBRecovery -Root $id
        $parts = [System.Collections.Generic.List[int]]::new()
        try {
            $problem = Get-ErrorOf {
                Get-Content "W:$source/huge.bin" -AsByteStream -ReadCount 1MB | ForEach-Object {
                    $parts.Add($_.Length)
                    if ($parts.Count -eq 1) { Rename-Item -LiteralPath $vault away }
                }
            }
        }
        finally { if (Test-Path -LiteralPath "$work/away") { Rename-Item -LiteralPath "$work/away" vault } }
        ($parts | Measure-Object -Sum).Sum | Should -BeLessThan 96MB
        Get-Cause $problem | Should -Be VaultUnreachable
        Get-DriveHash "W:$source/huge.bin" | Should -Be (Get-FileHash "$source/huge.bin").Hash
        Remove-PSDrive W
    }
}

Describe 'A drive of another machine''s points' {
    It 'is opened by credential file and passphrase, which goes with the drive' {
        $own = $env:MSONLINEBACKUP_STATE
        $machine = (Get-OBRecoverableItem -Source $source).ServerName
        $file = (Export-OBVaultCredential -Vault $vault -Path $work).FullName
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/other").FullName
        try {
            $problem = Get-ErrorOf { New-PSDrive -Name O -PSProvider OBRecovery -Root latest -MachineName $machine -VaultCredentials $file }
            $problem.FullyQualifiedErrorId | Should -BeLike 'RecoveryOptionMissing,*'
            $problem = Get-ErrorOf { New-PSDrive -Name O -PSProvider OBRecovery -Root latest -MachineName $machine -VaultCredentials $file -EncryptionPassphrase (ConvertTo-SecureString 'not the passphrase' -AsPlainText -Force) }
            $problem.FullyQualifiedErrorId | Should -BeLike 'PassphraseRejected,*'
            $null = New-PSDrive -Name O -PSProvider OBRecovery -Root latest -MachineName $machine -VaultCredentials $file -EncryptionPassphrase (ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force)
            Get-Content "O:$source/a.txt" | Should -Be one
            $item = Get-Item "O:$source/a.txt"
            $option = New-OBRecoveryOption -DestinationPath "$work/out4"
            ($item | Start-OBRecovery -RecoveryOption $option 6> $null).JobStatus.JobState | Should -Be Completed
            Get-Content "$work/out4/a.txt" | Should -Be one
            Remove-PSDrive O
            Assert-BackupError (Get-ErrorOf { $item | Start-OBRecovery -RecoveryOption $option }) RecoveryOptionMissing InvalidArgument
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $own
        }
    }
}

Describe 'A drive of damaged points' {
    It 'shows what is whole, and says what is not' {
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/third").FullName
        try {
            $folder = (New-Item -ItemType Directory "$work/damaged").FullName
            $spoilt = Initialize-TestMachine $folder
            $tree = New-TestTree "$folder/src"
            $null = Save-TestPolicy $tree

            # Small files are in a pack that nothing else is in.
            $null = Invoke-TestBackup
            [System.IO.File]::WriteAllBytes("$tree/big.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(5MB))
            $null = Invoke-TestBackup
            foreach ($pack in Get-ChildItem "$spoilt/stores" -Recurse -File | Where-Object Length -GT 100KB) {
                $bytes = [System.IO.File]::ReadAllBytes($pack.FullName)
                for ($i = 1000; $i -lt $bytes.Length; $i += 5000) { $bytes[$i] = $bytes[$i] -bxor 1 }
                if (-not $IsWindows) { chmod u+w $pack.FullName }
                [System.IO.File]::WriteAllBytes($pack.FullName, $bytes)
            }

            $null = New-PSDrive -Name D -PSProvider OBRecovery -Root latest
            (Get-ChildItem "D:$tree").Name | Should -Be a.txt, big.bin, sub
            $problems = @()
            $found = Get-Content "D:$tree/big.bin", "D:$tree/sub/b.txt" -Raw -ErrorAction SilentlyContinue -ErrorVariable problems
            Get-Cause $problems[0] | Should -BeLike 'VaultData*'
            $found | Should -Contain 'two, and longer'
            "$($problems[0])" | Should -BeLike "*Not all of '$tree/big.bin' can be read*"
            Remove-PSDrive D
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $own
        }
    }

    It 'gives of a file what comes before a damaged byte, and other files whole' {
        $own = $env:MSONLINEBACKUP_STATE
        $env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory "$work/fourth").FullName
        try {
            $folder = (New-Item -ItemType Directory "$work/flipped").FullName
            $spoilt = Initialize-TestMachine $folder
            $tree = New-TestTree "$folder/src"
            [System.IO.File]::WriteAllBytes("$tree/big.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(12MB))
            $null = Save-TestPolicy $tree
            $null = Invoke-TestBackup
            $pack = Get-ChildItem "$spoilt/stores" -Recurse -File | Sort-Object Length | Select-Object -Last 1
            if (-not $IsWindows) { chmod u+w $pack.FullName }
            $stream = [System.IO.File]::Open($pack.FullName, 'Open', 'ReadWrite')
            $stream.Position = $stream.Length / 2
            $byte = $stream.ReadByte()
            $stream.Position--
            $stream.WriteByte($byte -bxor 1)
            $stream.Dispose()

            $null = New-PSDrive -Name D -PSProvider OBRecovery -Root latest
            $got = [System.IO.MemoryStream]::new()
            $problem = Get-ErrorOf { Get-Content "D:$tree/big.bin" -AsByteStream -ReadCount 64KB | ForEach-Object { $got.Write([byte[]] $_) } }
            Get-Cause $problem | Should -Be VaultDataCorrupt
            "$problem" | Should -BeLike "*Not all of '$tree/big.bin' can be read*"
            $got.Length | Should -BeGreaterThan 1MB
            $got.Length | Should -BeLessThan 12MB
            $before = [System.IO.File]::ReadAllBytes("$tree/big.bin")
            [System.Linq.Enumerable]::SequenceEqual([byte[]] $got.ToArray(), [System.Linq.Enumerable]::Take($before, [int] $got.Length)) | Should -BeTrue
            Get-Content "D:$tree/a.txt" | Should -Be one
            Remove-PSDrive D
        }
        finally {
            $env:MSONLINEBACKUP_STATE = $own
        }
    }
}
