<#
.SYNOPSIS
    Runs a scheduled backup by a saved policy of this machine, and ends with an exit code that says how it went.
.DESCRIPTION
    0   done, or the policy is paused
    1   failed; the error is on standard error
    3   done, but items were skipped or a source was missing
    11  another job was in progress

    The exit codes are those of obengine. A line for root's crontab, for 21:00 each day:

    0 21 * * *  /usr/bin/pwsh -NoProfile -NonInteractive -File /opt/MSOnlineBackup/module/Start-ScheduledBackup.ps1
.PARAMETER SystemState
    Backs up the system state by its policy instead of files.
.PARAMETER Compression
    How hard to compress: Fastest, Default, Better or Max.
#>
param(
    [switch] $SystemState,
    [ValidateSet('Fastest', 'Default', 'Better', 'Max')] [string] $Compression = 'Default'
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    Import-Module (Join-Path (Split-Path $PSScriptRoot) 'MSOnlineBackup.psd1')
    $policy = if ($SystemState) { Get-OBSystemStatePolicy } else { Get-OBPolicy }
    $job = $policy | Start-OBBackup -Scheduled -Compression $Compression
    $job | Format-List | Out-String | Write-Output
    exit ("$($job.JobStatus.JobState)" -eq 'Completed' ? 0 : 3)
}
catch {
    if ($_.FullyQualifiedErrorId -like 'PolicyPaused,*') {
        Write-Output $_.ErrorDetails.Message
        exit 0
    }

    [Console]::Error.WriteLine("$($_.ErrorDetails ?? $_)")
    if ($_.ErrorDetails.RecommendedAction) {
        [Console]::Error.WriteLine("  What to do: $($_.ErrorDetails.RecommendedAction)")
    }

    [Console]::Error.WriteLine("  Error id: $($_.FullyQualifiedErrorId)")
    exit ($_.FullyQualifiedErrorId -like 'JobInProgress,*' ? 11 : 1)
}
