using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Machines back up over ssh.</summary>
internal sealed class RemoteMachineBackups(RemoteBackups backups) : IMachineBackups
{
    /// <inheritdoc/>
    public async Task<MachineBackup> RunAsync(RemoteMachine machine, MachineBackupOrder order, UnlockedVault vault, CancellationToken cancellationToken)
    {
        var remote = new RemoteBackupOrder { MachineName = order.MachineName, Sources = order.Sources, Selection = order.Selection, Tags = order.Tags };
        RemoteBackupOutcome done = await backups.RunAsync(machine, remote, vault, progress: null, cancellationToken).ConfigureAwait(false);
        return new MachineBackup(done.Point, done.Failure, [.. done.Warnings, .. done.LostSources.Select(lost => lost.Failure)]);
    }
}
