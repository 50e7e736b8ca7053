using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults.Versioning;


namespace MSOnlineBackup.Vaults.Repair;

/// <summary>Rebuilds lost index segments: opening a store leaves out what is damaged, its survey finds the packs that no
/// segment names, and a session writes their records as segments of its own.</summary>
internal sealed class IndexRebuild(ChunkStore store, VaultOptions options, JobMonitor monitor)
{
    private readonly SessionAnnouncement _announcement = new(
        store, new SessionRecord { MachineId = null, Started = options.TimeProvider.GetUtcNow(), AgentVersion = Product.Version });

    public async Task<IndexRebuildReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        try
        {
            IndexRebuildReport report = await RebuildAsync(cancellationToken).ConfigureAwait(false);
            await _announcement.EndAsync(cancellationToken).ConfigureAwait(false);
            monitor.Enter(JobPhase.Finished);
            return report;
        }
        catch (Exception failure)
        {
            // Nobody but a collector asks for it: whatever comes of it.
            await _announcement.TryEndAsync(failure, options.TimeProvider).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<IndexRebuildReport> RebuildAsync(CancellationToken cancellationToken)
    {
        var before = store.Index.Packs.ToHashSet();
        await using WriteSession session = await WriteSession.BeginAsync(
            store, _announcement, monitor.Transfer, workers: 1, verifyOneIn: 0, cancellationToken).ConfigureAwait(false);
        PackInfo[] found = [.. store.Index.Packs.Where(pack => !before.Contains(pack))];
        var packs = found.ToHashSet();
        long chunks = store.Index.All().LongCount(location => packs.Contains(location.Pack));
        await session.FlushAsync(cancellationToken).ConfigureAwait(false);
        return new IndexRebuildReport(
            found.Length,
            chunks,
            [.. store.Damage.Select(damage => new VerifyFinding(damage.Target ?? string.Empty, damage.Message, []))]);
    }
}
