using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Where a restore has its data from.</summary>
public enum RestoreFrom
{
    /// <summary>From the vault; where that cannot be reached, from local snapshots of the same point.</summary>
    Auto,

    /// <summary>From local snapshots. The vault is not asked.</summary>
    Local,

    /// <summary>From the vault.</summary>
    Vault,
}

/// <summary>
/// Restores from snapshots that stay on this machine. Neither the vault nor its passphrase is needed: what is read are this machine's own files, by the account that runs it. Everything
/// else is as in a restore from a vault, and done by the same parts.
/// </summary>
public static class LocalRestore
{
    /// <summary>Restores.</summary>
    /// <param name="local">The local point.</param>
    /// <param name="request">What, and where to; its point is not looked at.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="options">The clock.</param>
    /// <param name="cancellationToken">Stops it; what is complete stays.</param>
    /// <exception cref="BackupException">SnapshotUnavailable: the snapshots are not there, or not those that the backup made. RecoverableItemNotFound, RestoreTargetInvalid, …</exception>
    public static Task<RestoreResult> RestoreAsync(LocalPoint local, RestoreRequest request, JobMonitor monitor, VaultOptions options, CancellationToken cancellationToken) =>
        RestoreAsync(SnapshotKit.ForThisSystem(), local, request, monitor, options, cancellationToken);

    /// <summary>Whether a failure to open a vault says that it cannot be reached, so that local snapshots stand in for it.</summary>
    public static bool StandsIn(BackupException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.Id is BackupErrorId.VaultUnreachable or BackupErrorId.VaultNotFound or BackupErrorId.VaultContactLost
            or BackupErrorId.VaultAccountDisabled or BackupErrorId.KeyVaultUnreachable;
    }

    /// <inheritdoc cref="RestoreAsync(LocalPoint, RestoreRequest, JobMonitor, VaultOptions, CancellationToken)"/>
    internal static Task<RestoreResult> RestoreAsync(
        SnapshotKit kit, LocalPoint local, RestoreRequest request, JobMonitor monitor, VaultOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        ArgumentNullException.ThrowIfNull(options);
        return TracedOperation.RunAsync("restore", options.TimeProvider, () => RunAsync(kit, local, request, monitor, options, cancellationToken));
    }

    private static async Task<RestoreResult> RunAsync(
        SnapshotKit kit, LocalPoint local, RestoreRequest request, JobMonitor monitor, VaultOptions options, CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);

        // Nobody removes the snapshots while they are read. Those of a backup at work are its own, and go with it.
        using SnapshotRecord? held = SnapshotRecord.TryShare(local.Record);
        (IReadOnlyDictionary<string, (SnapshotMark Mark, byte[] Place)> places, string? obstacle) =
            await LocalPoints.FindPlacesAsync(kit, local, cancellationToken).ConfigureAwait(false);
        if (obstacle is not null || local.Marks.Count == 0)
        {
            throw new BackupException(
                BackupErrorId.SnapshotUnavailable,
                $"The local snapshots of the point {local.Id} cannot be restored from. {obstacle}".TrimEnd(),
                local.State == PointState.Vaulted ? "Restore the point from the vault." : "Mount the volume, if it is not, and try again.",
                local.Id.ToString());
        }

        monitor.Note($"Everything is restored from the local snapshots of {local.Started:u}, not from the vault{(local.State == PointState.Vaulted ? "" : ", which does not have this point")}.");
        RecoveryPoint point = local.Point;
        using LocalSelection selection = LocalSelection.Resolve(local, point, request, places, cancellationToken);
        using IRestoreTarget target = RestoreTargets.Open(request.TargetFolder, request.SkipSecurity, local.Vault);
        monitor.Enter(JobPhase.Transferring);
        var tally = new RestoreTally(monitor);
        SnapshotContents? contents = null;
        IRestoreVerifier? verifier = request.Verify ? new SnapshotVerifier(target, tally, () => contents!.Current!) : null;
        using (var job = new RestoreJob(target, tally, verifier, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow())))
        {
            contents = new SnapshotContents(job);
            job.Streams = new ItemStreams(job, contents, tellsImpossible: true);

            // Comparing costs no more than reading here: nothing is taken for the same by its times.
            var items = new ItemSteps(job, new ItemPlacing(contents, job, verify: true), request.MapNames);
            foreach ((RecoveryPointSource source, SourceItem item, EntryPath place, bool isAbove) in selection.Read(cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (TryTake(source, item, tally) is { } entry)
                {
                    contents.Current = item;
                    await items.TakeAsync(new SelectedEntry(source, entry, place, isAbove), contents.BeginFileAsync, cancellationToken).ConfigureAwait(false);
                }
            }

            items.Close();
            job.Freeze();
        }

        foreach (string path in request.Paths.Count == 0 ? local.Missing : [])
        {
            tally.Skip(new SkippedItem(path, BackupErrorId.SnapshotUnavailable, "It was read in no snapshot that stays: only the vault has it."));
        }

        if (request.Synchronize)
        {
            target.Synchronize();
        }

        monitor.Enter(JobPhase.Finished);
        return tally.ToResult(selection.Layout);
    }

    // Null where it cannot be read, which is reported.
    private static ManifestEntry? TryTake(RecoveryPointSource source, SourceItem item, RestoreTally tally)
    {
        BackupException? failure = item.Failure;
        try
        {
            if (failure is null)
            {
                ManifestEntry entry = item.ReadDetails();
                foreach (BackupException fault in item.AttributeFaults)
                {
                    tally.Skip(new SkippedItem(SourcePath.Join(source, entry.Path), fault.Id, fault.Message));
                }

                return entry;
            }
        }
        catch (BackupException fault) when (fault.IsOfSourceItem)
        {
            failure = fault;
        }

        tally.Skip(new SkippedItem(SourcePath.Join(source, item.Entry.Path), failure!.Id, failure.Message));
        return null;
    }
}
