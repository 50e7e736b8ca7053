using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Finds again what a server knew, from one of its vaults; and makes disk vaults anew from a copy.</summary>
[Cmdlet(VerbsData.Sync, "OBServer", SupportsShouldProcess = true, DefaultParameterSetName = Find)]
[OutputType(typeof(OBServerSync))]
public sealed class SyncOBServerCommand : GroupCmdlet
{
    private const string Find = "Sync";
    private const string Make = "Reallocate";

    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>A vault, or its folder or URL: any place of the groups. With -ReallocateReplica an empty place that takes that of disk vaults that are lost.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Find)]
    [Parameter(ParameterSetName = Make)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <summary>Makes disk vaults anew that are lost, with the recovery points of a copy.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Make)]
    public SwitchParameter ReallocateReplica { get; set; }

    /// <summary>The copy, or its folder or URL.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Make)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string From { get; set; } = "";

    /// <summary>The passphrase that opens the vault; not needed where this machine has a key that does.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    private protected override string? StopNote => ReallocateReplica ? "Stopping; what has arrived stays, and the same command goes on from there." : null;

    /// <inheritdoc/>
    protected override void Process()
    {
        string? place = Vault is null ? null : VaultPlace(Vault);
        string? passphrase = EncryptionPassphrase?.ToPlain();
        if (ParameterSetName == Find)
        {
            bool isAgreed = ShouldProcess(place, "Find protection groups, machines and pinned keys, and bring to each place what the others have of groups");
            Write(Run((_, stop) => Agent.Groups.SyncAsync(place!, passphrase, isRehearsal: !isAgreed, stop)));
        }
        else if (ShouldProcess(place ?? "disk vaults that are not there", $"Make anew, with the recovery points of '{From}'"))
        {
            Run((pump, stop) => ReallocateAsync(VaultPlace(From), place, passphrase, pump, stop));
        }
    }

    private async Task ReallocateAsync(string from, string? place, string? passphrase, CmdletPump pump, CancellationToken stop)
    {
        var monitor = new JobMonitor { Noted = pump.WriteVerbose, VaultDamaged = damage => pump.WriteWarning($"{damage.Message} ({damage.Id}) {damage.RecommendedAction}") };
        Task<ServerSyncReport> work = Agent.Groups.ReallocateAsync(from, place, passphrase, monitor, stop);
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            JobProgress counters = monitor.Snapshot();
            pump.WriteProgress(new ProgressRecord(0, "Copying recovery points", counters.Wait is { } wait ? wait.Cause : $"{counters.CurrentItem}, {counters.Bytes >> 20} MiB copied"));
        }

        ServerSyncReport report = await work.ConfigureAwait(false);
        foreach (Vaults.Errors.BackupException problem in report.Problems)
        {
            pump.WriteWarning($"{problem.Message} ({problem.Id}) {problem.RecommendedAction}");
        }

        await pump.WriteObjectAsync(report.ToOutput()).ConfigureAwait(false);
    }

    private void Write(ServerSyncReport report)
    {
        WriteProblems(report.Problems);
        WriteObject(report.ToOutput());
    }
}
