using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>The snapshots of a backup stay as a point of this machine, where that was asked for.</summary>
/// <param name="snapshots">The snapshots; null where none were to be taken.</param>
/// <param name="request">The backup.</param>
/// <param name="monitor">Told of it.</param>
internal sealed class LocalPointKeeping(SnapshotSet? snapshots, BackupRequest request, JobMonitor monitor)
{
    private bool Wants => snapshots is not null && request.Snapshots is { Keep: > 0 };

    /// <summary>Whether the snapshots of a backup that failed are worth something: nothing was wrong with them, but the vault did not take the rest.</summary>
    public static bool StaysAfter(BackupException failure) => failure.Id is BackupErrorId.VaultUnreachable or BackupErrorId.VaultNotFound
        or BackupErrorId.VaultFull or BackupErrorId.VaultAccessDenied or BackupErrorId.VaultContactLost or BackupErrorId.VaultAccountDisabled or BackupErrorId.SessionFenced;

    /// <summary>Says which point the snapshots are, before anything is sent.</summary>
    public void Announce(
        ChunkStore store,
        SessionId session,
        MachineId machine,
        DateTimeOffset started,
        IReadOnlyList<BackupSource.Tree> trees,
        IReadOnlyDictionary<BackupSource, SnapshotSource> read,
        SourceVerdicts verdicts)
    {
        if (!Wants)
        {
            return;
        }

        var state = new LocalPointState(
            1, session, machine, request.MachineName, request.Snapshots!.Series, store.Objects.Location, store.Header.VaultId, started)
        {
            AgentVersion = Product.Version,
            Tags = request.Tags,
        };
        snapshots!.Announce(
            state,
            [.. trees.Select(tree => (SourceTrees.RootPathOf(tree.Path), verdicts.SelectionOf(tree), read[tree]))],
            [store.Objects.Location, .. request.OwnFolders]);
    }

    /// <summary>The point is in the vault, and its snapshots stay.</summary>
    public async Task KeepAsync(RecoveryPoint point)
    {
        if (Wants)
        {
            await snapshots!.StayAsync(state => state with { Id = point.SessionId, IsVaulted = true }).ConfigureAwait(false);
        }

        await TidyAsync().ConfigureAwait(false);
    }

    /// <summary>There is no point in the vault; what the snapshots have can be restored all the same.</summary>
    public async Task KeepAsync(BackupException failure)
    {
        if (Wants && await snapshots!.StayAsync(state => state with { Failure = failure.Message }).ConfigureAwait(false))
        {
            monitor.Note("The backup did not get into the vault. Its snapshots stay on this machine as a local point, which 'obengine snapshots list' shows; it is no backup.");
            await TidyAsync().ConfigureAwait(false);
        }
    }

    private Task TidyAsync() => snapshots?.TidyAsync(request.MachineName) ?? Task.CompletedTask;
}
