using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Engine;

/// <summary>
/// What this machine and a vault do together: files become recovery points, and recovery points files. Every failure is a <see cref="BackupException"/>; stopping is an
/// <see cref="OperationCanceledException"/>, and what had arrived in the vault stays usable.
/// </summary>
public static class VaultFiles
{
    /// <summary>Backs up: returns when the recovery point is durable, and the twins that were named have it or have failed.</summary>
    /// <exception cref="BackupException">No point was made: ArgumentInvalid where a point cannot hold it (<see cref="BackupRequest.Check"/>); VaultFormatUnsupported where the vault has what only a newer version may write to; MachineNameTaken, MachineLimitReached, …</exception>
    public static async Task<BackupResult> BackUpAsync(this UnlockedVault vault, BackupRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        request.Check();
        vault.Allow(VaultUse.Write);
        monitor.Watch(vault.Objects);
        await using BackupTwins twins = await BackupTwins.BeginAsync(vault, request.Twins, cancellationToken).ConfigureAwait(false);
        BackupResult result = await TracedOperation.RunAsync(
            "backup",
            vault.Options.TimeProvider,
            () => new BackupJob(Reconstruction.On(vault.WithoutIndex()), request, vault.Options, monitor, twins.Taps).RunAsync(cancellationToken)).ConfigureAwait(false);
        return result with { Copies = await twins.CompleteAsync(result.Point, monitor).ConfigureAwait(false) };
    }

    /// <summary>What a backup would take; reads no content and writes nothing.</summary>
    /// <param name="request">What is to be backed up.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="note">Gets what the backup would note: what is left out, and why.</param>
    public static async IAsyncEnumerable<BackupPreviewItem> PreviewAsync(
        this IndexedVault vault, BackupRequest request, [EnumeratorCancellation] CancellationToken cancellationToken, Action<string>? note = null)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        request.Check();
        await foreach (BackupPreviewItem item in new BackupPreview(vault.Store, request, note ?? (_ => { })).RunAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }
    }

    /// <summary>About how many bytes the sources of a backup hold: as many as earlier points have of them; what none has is walked.</summary>
    public static async Task<long> EstimateAsync(this UnlockedVault vault, BackupRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        MachineId machineId = await vault.FindMachineAsync(request.MachineName, cancellationToken).ConfigureAwait(false);
        await using Earlier earlier = await Earlier.FindAsync(vault.Catalog(), machineId, cancellationToken).ConfigureAwait(false);
        return await Forecast.MeasureAsync(request, earlier, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many bytes the sources of a backup hold now: all are walked.</summary>
    public static Task<long> MeasureSourcesAsync(BackupRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Forecast.MeasureAsync(request, earlier: null, cancellationToken);
    }

    /// <summary>What a restore would do. Nothing is written; files at the target that may be the same are read.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound, RestoreTargetInvalid.</exception>
    public static async Task<RestorePlan> PlanRestoreAsync(this IndexedVault vault, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(vault.Vault.Objects);
        ChunkStore store = vault.Store;
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, cancellationToken).ConfigureAwait(false);
        using IRestoreTarget? target = RestoreTargets.OpenExisting(request.TargetFolder, request.SkipSecurity, vault.Vault.Objects.Location);
        return await RestoreWalk.RehearseAsync(store, request, selection, target, monitor, vault.Vault.Options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound, RecoveryPointGone: others ended it meanwhile; RestoreTargetInvalid, RestoreTargetUnwritable, RestoreTargetFull, VaultUnreachable, …</exception>
    public static Task<RestoreResult> RestoreAsync(this IndexedVault vault, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(vault.Vault.Objects);
        return TracedOperation.RunAsync("restore", vault.Vault.Options.TimeProvider, () => RestoreToAsync(vault, request, monitor, cancellationToken));
    }

    private static async Task<RestoreResult> RestoreToAsync(IndexedVault vault, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ChunkStore store = vault.Store;
        (long copies, long parity) = (store.Broken.ChunksFromCopies, store.Broken.ChunksFromParity);
        RestoreResult result;
        try
        {
            RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, cancellationToken).ConfigureAwait(false);
            using IRestoreTarget target = RestoreTargets.Open(request.TargetFolder, request.SkipSecurity, vault.Vault.Objects.Location);
            result = await RestoreWalk.RestoreAsync(store, request, selection, target, monitor, vault.Vault.Options, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            if (await EndedPoints.HasEndedAsync(store, request.Point, cancellationToken).ConfigureAwait(false))
            {
                throw EndedPoints.Gone(request.Point.SessionId);
            }

            throw;
        }

        // What goes with a point is no damage, and is not told as one.
        if ((result.LacksData || store.Broken.All.Count > 0) && await EndedPoints.HasEndedAsync(store, request.Point, cancellationToken).ConfigureAwait(false))
        {
            return result.LacksData ? throw EndedPoints.Gone(request.Point.SessionId) : result;
        }

        monitor.ReportDamage(store.Damage);
        await MetDamage.RecordAsync(store, monitor, cancellationToken).ConfigureAwait(false);
        return result with { ChunksFromCopies = store.Broken.ChunksFromCopies - copies, ChunksFromParity = store.Broken.ChunksFromParity - parity };
    }

    /// <summary>Opens a point as a tree of files that is only read: its sources at their full paths, and beside each disk a folder of its parts. It lives no longer than the vault.</summary>
    /// <param name="point">The point.</param>
    /// <param name="options">How much it may keep and fetch ahead.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing: where a source begins cannot be read.</exception>
    public static async Task<IItemView> OpenViewAsync(this IndexedVault vault, RecoveryPoint point, ViewOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(options);
        return new DiskView(await PointView.OpenAsync(vault.Store, point, options, cancellationToken).ConfigureAwait(false), DiskImage.IsDisk, vault.Vault.Options);
    }

    /// <summary>Opens all points as a tree of files that is only read: machines, points by their time, and the newest as <c>latest</c>.</summary>
    /// <param name="machineName">Only points of this machine; null for those of all.</param>
    /// <param name="options">How much it may keep and fetch ahead.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotFound, …</exception>
    public static async Task<IItemView> OpenViewAsync(this IndexedVault vault, string? machineName, ViewOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(options);
        MachineId? machine = machineName is null ? null : await vault.Vault.FindMachineAsync(machineName, cancellationToken).ConfigureAwait(false);
        return new DiskView(new VaultView(vault.Store, machine, options), DiskImage.IsDisk, vault.Vault.Options);
    }

    /// <summary>The disks of a point: those of machines, and block devices.</summary>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, ….</exception>
    public static async IAsyncEnumerable<RecoverableItem> ListDisksAsync(this IndexedVault vault, RecoveryPoint point, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        foreach (string folder in point.Sources.Select(DiskImage.FolderOf).OfType<string>())
        {
            List<RecoverableItem> found = [];
            try
            {
                found = await vault.ListItemsAsync(point, folder, recursive: false, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.RecoverableItemNotFound)
            {
                // A stream that is kept as a file has no folder of disks.
            }

            foreach (RecoverableItem item in found.Where(item => item.Entry.Kind == EntryKind.File))
            {
                yield return item;
            }
        }
    }

    /// <summary>Opens a disk of a point, to look into it or to restore files from it.</summary>
    /// <param name="point">The point.</param>
    /// <param name="disk">The disk: <see cref="DiskPath.Disk"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeItemNotFound, VolumeCorrupt, VaultDataCorrupt, ….</exception>
    public static async Task<DiskImage> OpenDiskAsync(this IndexedVault vault, RecoveryPoint point, string disk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disk);
        IItemView view = await vault.OpenViewAsync(point, new ViewOptions(), cancellationToken).ConfigureAwait(false);
        try
        {
            return await DiskImage.OpenAsync(view, point, disk, vault.Vault.Options, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    /// <summary>Opens a disk of a point to read it from its first byte to its last, whatever is on it.</summary>
    /// <param name="point">The point.</param>
    /// <param name="disk">The disk: <see cref="DiskPath.Disk"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeItemNotFound, VaultDataCorrupt, ….</exception>
    public static async Task<DiskBytes> OpenDiskBytesAsync(this IndexedVault vault, RecoveryPoint point, string disk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disk);
        IItemView view = await vault.OpenViewAsync(point, new ViewOptions(), cancellationToken).ConfigureAwait(false);
        try
        {
            return new DiskBytes(view, (await DiskImage.FindDiskAsync(view, point, disk, cancellationToken).ConfigureAwait(false)).Item);
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Restores a sample of a point, or all of it, only to see that it works: into a folder of its own, which is removed again. Contents are read back and compared, and kind,
    /// size and time of modification of a sample's files.
    /// </summary>
    /// <exception cref="BackupException">RestoreTargetInvalid, RestoreTargetUnwritable, RestoreTargetFull, VaultUnreachable, …</exception>
    public static Task<TrialResult> TryRestoreAsync(this IndexedVault vault, TrialRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        return TrialRestore.RunAsync(vault, request, (restore, watched, stop) => vault.RestoreAsync(restore, watched, stop), monitor, cancellationToken);
    }
}
