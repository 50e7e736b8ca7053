# A machine with three recovery points, whose age in the vault a test sets. After Common.ps1.
. "$PSScriptRoot/Recovery.ps1"
$work = New-TestFolder
$null = Initialize-TestMachine $work
$source = New-TestTree "$work/src"
$null = Save-TestPolicy $source

# Only the oldest point needs it.
Set-Content "$source/once" ('once ' * 1000)
$jobs = @(Invoke-TestBackup)
Remove-Item "$source/once"
$jobs += @(Invoke-TestBackup; Invoke-TestBackup)

# As if the vault had got the points some days earlier, the oldest first.
function Set-PointAge([int[]] $Days) {
    foreach ($index in 0..($jobs.Count - 1)) {
        Get-ChildItem "$work/vault" -Recurse -File | Where-Object FullName -Like "*/points/*/$($jobs[$index].RecoveryPointId)" |
            ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-$Days[$index]) }
    }
}
