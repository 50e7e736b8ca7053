using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A restore, and its rehearsal: walks the selection once in manifest order, decides for each item once, makes folders and special files as it
/// meets them, and hands what files need to the <see cref="PackPump"/> in batches. A file is completed by whoever writes its last byte, a
/// folder by whoever finishes the last thing in it.
/// </summary>
internal sealed class RestoreWalk
{
    private readonly ChunkStore _store;
    private readonly RestoreJob _job;
    private readonly int _workers;
    private readonly PackPump _pump;
    private readonly ItemSteps _items;

    private RestoreWalk(ChunkStore store, RestoreRequest request, RestoreJob job, int workers, bool isRehearsal)
    {
        _store = store;
        _job = job;
        _workers = workers;
        _pump = new PackPump(store, job.Tally, workers, isRehearsal, identifies: request.Verify);
        var contents = new VaultContents(store, job.Target, request.Verify);
        job.Streams = new ItemStreams(job, contents, tellsImpossible: !request.ToleratesMissingStreams);
        _items = new ItemSteps(job, new ItemPlacing(contents, job, request.Verify), request.MapNames);
    }

    /// <summary>Restores. What goes wrong with one item is reported to the monitor, and the others go on.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, VaultUnreachable and whatever else stops everything. What is
    /// complete by then stays, and counts as done when the restore is run again.</exception>
    public static async Task<RestoreResult> RestoreAsync(
        ChunkStore store,
        RestoreRequest request,
        RestoreSelection selection,
        IRestoreTarget target,
        JobMonitor monitor,
        VaultOptions options,
        CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        ManifestTotals totals = await selection.MeasureAsync(cancellationToken).ConfigureAwait(false);
        monitor.Expect(totals.Files, totals.Bytes);
        monitor.Enter(JobPhase.Transferring);
        var tally = new RestoreTally(monitor);
        RestoreVerifier? verifier = request.Verify ? new RestoreVerifier(store, target, tally) : null;
        using (var job = new RestoreJob(target, tally, verifier, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow())))
        {
            await new RestoreWalk(store, request, job, options.Workers, isRehearsal: false).RunAsync(selection, cancellationToken).ConfigureAwait(false);
            job.Freeze();
        }

        if (request.Synchronize)
        {
            target.Synchronize();
        }

        monitor.Enter(JobPhase.Finished);
        return tally.ToResult(selection.Layout);
    }

    /// <summary>Says what a restore would do: the same walk, with nothing written, and of contents only what a comparison needs fetched.</summary>
    public static async Task<RestorePlan> RehearseAsync(
        ChunkStore store,
        RestoreRequest request,
        RestoreSelection selection,
        IRestoreTarget? target,
        JobMonitor monitor,
        VaultOptions options,
        CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        var tally = new RestoreTally(new JobMonitor());
        using var rehearsal = new RehearsalTarget(target);
        using var job = new RestoreJob(
            rehearsal, tally, Verifier: null, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow()));
        await new RestoreWalk(store, request, job, options.Workers, isRehearsal: true).RunAsync(selection, cancellationToken).ConfigureAwait(false);
        return tally.ToPlan(request);
    }

    private async Task RunAsync(RestoreSelection selection, CancellationToken cancellationToken)
    {
        await using var stages = new StageGroup(cancellationToken);
        var files = new FileContents(_store, _job, _workers, stages, _pump.Reads);
        stages.Begin(_pump.RunAsync);
        stages.Begin(async stopping =>
        {
            await foreach (SelectedEntry selected in selection.ReadAsync(_job.Tally.Skip, stopping).ConfigureAwait(false))
            {
                await _items.TakeAsync(selected, files.BeginFileAsync, stopping).ConfigureAwait(false);
            }

            await files.CompleteAsync().ConfigureAwait(false);
            _items.Close();
            _pump.Reads.Complete();
        });
        await stages.WhenEndedAsync().ConfigureAwait(false);
    }
}
