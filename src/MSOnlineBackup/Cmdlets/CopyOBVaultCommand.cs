using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Copies the recovery points that a twin of a vault lacks to it.</summary>
[Cmdlet(VerbsCommon.Copy, "OBVault", SupportsShouldProcess = true)]
[OutputType(typeof(OBVaultCopyResult))]
public sealed class CopyOBVaultCommand : OBEngineCmdlet
{
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>The vault, or its folder or URL; that of this machine, where none is given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <summary>Its twin, which New-OBVault -TwinOf has made, or that one's folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The passphrase that opens both; not needed for the vault of this machine and its twins.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>These recovery points only, whatever their age: their ids, the beginnings of them, or latest.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? RecoveryPointId { get; set; }

    /// <summary>Copies points, too, that are older than the newest of their machine that the twin has: also those that have ended there.</summary>
    [Parameter]
    public SwitchParameter IncludeOlder { get; set; }

    /// <summary>The twin's own retention, which New-OBRetentionPolicy makes: what it lets go of is not copied, or deleted in the twin; what the vault lets go of stays there.</summary>
    [Parameter]
    [ValidateNotNull]
    public OBRetentionPolicy? RetentionPolicy { get; set; }

    private protected override string StopNote => "Stopping; what has arrived in the twin stays, and the next copy goes on from there.";

    /// <inheritdoc/>
    protected override void Process()
    {
        VaultAddress? from = Vault is null ? null : new VaultAddress(VaultPlace(Vault));
        VaultAddress to = VaultPlace(Destination);
        bool isAgreed = ShouldProcess(
            $"Copying recovery points of {(from is null ? "the vault of this machine" : $"the vault '{from}'")} to its twin '{to}'.",
            $"The recovery points that the twin '{to}' lacks are copied to it. Do you want to go on?",
            "MSOnlineBackup",
            out ShouldProcessReason reason);
        if (isAgreed || reason == ShouldProcessReason.WhatIf)
        {
            var request = new VaultCopyRequest { IncludesOlder = IncludeOlder, IsRehearsal = !isAgreed };
            Run((pump, stop) => CopyAsync(from, to, request, pump, stop));
        }
    }

    private async Task CopyAsync(VaultAddress? from, VaultAddress to, VaultCopyRequest request, CmdletPump pump, CancellationToken stop)
    {
        var monitor = new JobMonitor { Noted = pump.WriteVerbose, VaultDamaged = damage => pump.WriteWarning($"{damage.Message} ({damage.Id}) {damage.RecommendedAction}") };
        Task<VaultCopyReport> work = Agent.Copies.CopyAsync(from, to, EncryptionPassphrase?.ToPlain(), RecoveryPointId, request, monitor, stop, RetentionPolicy?.ToEngine());
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            pump.WriteProgress(BarOf(monitor.Snapshot()));
        }

        VaultCopyReport report = await work.ConfigureAwait(false);
        await pump.WriteObjectAsync(report.ToOutput(to.Location)).ConfigureAwait(false);
        if (report.Damaged is [var first, ..])
        {
            // Scripts and cron see by the error that the twin lacks something; the other points are there.
            BackupException why = first.Damage;
            string others = report.Damaged.Count == 1 ? "" : $", and {report.Damaged.Count - 1} more";
            pump.WriteError(new BackupException(
                why.Id,
                $"The recovery point {first.SessionId.ToShortString()} of '{first.MachineName ?? first.MachineId.ToString()}'{others} could not be copied: {why.Message}",
                "Problems lists what is damaged, and which items suffer. Repair-OBVault and the next backup mend what can be mended; then copy it with -RecoveryPointId or -IncludeOlder.",
                first.SessionId.ToString(),
                innerException: why));
        }
    }

    private static ProgressRecord BarOf(JobProgress counters) => new(
        0,
        "Copying to the twin",
        counters.Wait is { } wait ? wait.Cause : counters.Phase == JobPhase.Transferring ? $"{counters.CurrentItem}, {counters.Bytes >> 20} MiB copied" : "Finding what it lacks");
}
