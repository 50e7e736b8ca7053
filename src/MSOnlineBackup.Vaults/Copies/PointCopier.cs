using System.Collections.Concurrent;
using System.Globalization;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>
/// Copies recovery points of a chunk store to its twin, the oldest first: the chunks that the twin lacks, then the index segment, then the point under its own name. Points that bring
/// little go together, so that a long history makes few packs. It may be stopped at any moment, and several may do it at once. To both places it is one session more.
/// </summary>
/// <param name="openSource">Gives the chunk store anew: nothing of it read.</param>
/// <param name="openTwin">Gives that of the twin anew.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="request">Which points.</param>
/// <param name="monitor">Is told how far it is.</param>
internal sealed class PointCopier(Func<ChunkStore> openSource, Func<ChunkStore> openTwin, VaultOptions options, VaultCopyRequest request, JobMonitor monitor)
{
    private const int MostReaders = 4;

    // What becomes durable together.
    private const int MostPoints = 64;
    private const long MostBytes = 128 << 20;

    private readonly ChunkStore _from = Reconstruction.On(openSource());
    private readonly ConcurrentDictionary<ChunkId, byte> _strays = new();
    private readonly List<DamagedPoint> _damaged = [];
    private readonly List<(PointName Name, SessionId? Parent)> _uncopied = [];

    private volatile bool _isLacking;
    private IndexRecords _records = new();
    private ChunkMarks _marks = new(new IndexRecords());
    private CopySession? _to;

    // What it has visited, the twin has. A new one for each session, and wherever something was missing.
    private Marker? _marker;

    /// <summary>Copies.</summary>
    /// <exception cref="BackupException">VaultFull, VaultUnreachable, VaultAccessDenied, …: the next run goes on. SubscriptionExpired.</exception>
    public async Task<VaultCopyReport> RunAsync(CancellationToken cancellationToken)
    {
        ChunkStore twin = openTwin();
        if (request.IsRehearsal)
        {
            PointSelection foreseen = await PointSelection.FindAsync(_from, twin, request, cancellationToken).ConfigureAwait(false);
            return new VaultCopyReport(foreseen.Lacking, foreseen.There, foreseen.Older, foreseen.Ended, [], [], 0, 0, 0) { IsRehearsal = true, PointsSpared = foreseen.Spared };
        }

        await TwinMaking.BringMachinesAsync(_from.Objects, twin.Objects, cancellationToken).ConfigureAwait(false);
        if (request.Machine is null)
        {
            // A machine that copies its own points has no part in groups.
            await GroupRegister.BringAsync(_from, twin, cancellationToken).ConfigureAwait(false);
        }

        PointSelection selection = await PointSelection.FindAsync(_from, twin, request, cancellationToken).ConfigureAwait(false);
        var transfer = new ChunkTransfer(_from, Math.Clamp(_from.Objects.Capabilities.MaxConcurrency, 1, MostReaders), monitor);
        int copied = selection.Wanted.Count == 0 ? 0 : await CopyAllAsync(selection.Wanted, transfer, cancellationToken).ConfigureAwait(false);
        monitor.ReportDamage(_from.Damage);
        IReadOnlyList<VerifyFinding> findings = _uncopied.Count == 0
            ? []
            : await CopyFindings.FindAsync(_from, _uncopied, transfer.Lost.Keys, cancellationToken).ConfigureAwait(false);
        return new VaultCopyReport(
            copied, selection.There, selection.Older, selection.Ended, _damaged, findings, transfer.Chunks, transfer.Bytes, monitor.Transfer.StoredBytes)
        {
            PointsSpared = selection.Spared,
        };
    }

    private async Task<int> CopyAllAsync(IReadOnlyList<PointName> wanted, ChunkTransfer transfer, CancellationToken cancellationToken)
    {
        // Nothing that is there now is collected before the copy is over.
        await using ReadingSession? reading = await AnnounceReadingAsync(cancellationToken).ConfigureAwait(false);
        await _from.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        _records = _from.Index.Consolidate();
        int copied = 0;
        Exception? failure = null;
        try
        {
            await BeginAsync(cancellationToken).ConfigureAwait(false);
            monitor.Enter(JobPhase.Transferring);
            for (int next = 0; next < wanted.Count;)
            {
                List<PointCopy> batch = [];
                next = await BringNextAsync(wanted, next, batch, transfer, cancellationToken).ConfigureAwait(false);
                copied += await CommitAsync(batch, transfer, cancellationToken).ConfigureAwait(false);
            }

            await _to!.EndAsync(cancellationToken).ConfigureAwait(false);
            monitor.Enter(JobPhase.Finished);
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            // Whatever is under way arrives first: after the end nothing may be written.
            if (_to is { } session)
            {
                await session.DisposeAsync().ConfigureAwait(false);
                await (failure is null ? Task.CompletedTask : session.TryEndAsync(failure)).ConfigureAwait(false);
            }
        }

        return copied;
    }

    // Whoever may only read from a vault copies as well; then a point that ends meanwhile may not be copied.
    private async Task<ReadingSession?> AnnounceReadingAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadingSession.BeginAsync(openSource(), cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull or BackupErrorId.VaultDataProtected)
        {
            monitor.Note($"Maintenance of '{_from.Objects.Location}' does not know of this copy: {e.Message}");
            return null;
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (_to is { } old)
        {
            _to = null;
            await using (old.ConfigureAwait(false))
            {
                await old.EndAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        _marker = null;
        _to = await CopySession.BeginAsync(openTwin, options, monitor.Transfer, isThrifty: false, cancellationToken).ConfigureAwait(false);
    }

    // Brings what the next points need, until there is enough of it. Returns which point is next.
    private async Task<int> BringNextAsync(
        IReadOnlyList<PointName> wanted, int next, List<PointCopy> batch, ChunkTransfer transfer, CancellationToken cancellationToken)
    {
        if (await IsDoubtfulAsync(cancellationToken).ConfigureAwait(false))
        {
            await BeginAsync(cancellationToken).ConfigureAwait(false);
        }

        long before = transfer.Bytes;
        do
        {
            PointName name = wanted[next];
            int number = ++next;
            monitor.WorkOn(() => string.Create(CultureInfo.InvariantCulture, $"point {number} of {wanted.Count}: {name.SessionId.ToShortString()}"));
            if (await ReadAsync(name, cancellationToken).ConfigureAwait(false) is { } copy && await TransferAsync(copy, transfer, cancellationToken).ConfigureAwait(false))
            {
                batch.Add(copy);
            }
        }
        while (next < wanted.Count && batch.Count < MostPoints && transfer.Bytes - before < MostBytes);
        await SecureAsync(batch, transfer, cancellationToken).ConfigureAwait(false);
        return next;
    }

    // Until all that these points need is durable in the twin, by a session that nobody can take for dead.
    private async Task SecureAsync(List<PointCopy> batch, ChunkTransfer transfer, CancellationToken cancellationToken)
    {
        await _to!.FlushAsync(cancellationToken).ConfigureAwait(false);
        while (await IsDoubtfulAsync(cancellationToken).ConfigureAwait(false))
        {
            await BeginAsync(cancellationToken).ConfigureAwait(false);
            foreach (PointCopy copy in batch.ToArray())
            {
                if (!await TransferAsync(copy, transfer, cancellationToken).ConfigureAwait(false))
                {
                    batch.Remove(copy);
                }
            }

            await _to!.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> IsDoubtfulAsync(CancellationToken cancellationToken) =>
        !_to!.IsFresh || await _to.WasShutOutAsync(cancellationToken).ConfigureAwait(false);

    private async Task<int> CommitAsync(List<PointCopy> batch, ChunkTransfer transfer, CancellationToken cancellationToken)
    {
        int made = 0;
        while (batch is [var copy, ..])
        {
            string target = VaultLayout.Point(_to!.Store.StoreId, copy.Name.MachineId, copy.Name.SessionId);
            byte[] sealedPoint = SealedObject.Seal(_to.Store.Keys, SealedObjectKind.RecoveryPoint, target, copy.Content.Span);
            bool isOurs = await _to.Store.Objects.TryCreateAsync(target, sealedPoint, cancellationToken).ConfigureAwait(false);
            monitor.Transfer.AddStored(isOurs ? sealedPoint.Length : 0);
            if (await _to.WasShutOutAsync(cancellationToken).ConfigureAwait(false))
            {
                // Maintenance was faster than the point's creation. What it has collected is brought anew, for those that follow as well.
                await SecureAsync(batch, transfer, cancellationToken).ConfigureAwait(false);
                if (batch.Count == 0 || batch[0] != copy)
                {
                    // It cannot be read any more. Nobody says of the point that it was made.
                    continue;
                }
            }

            // From here on its loss would be noticed. What has no such word the next copy looks through again.
            string commit = VaultLayout.Commit(_to.Store.StoreId, copy.Name.MachineId, copy.Name.SessionId);
            await _to.Store.Objects.TryCreateAsync(commit, CopiedPoints.Commit.ToArray(), cancellationToken).ConfigureAwait(false);
            made += isOurs ? 1 : 0;
            batch.RemoveAt(0);
        }

        return made;
    }

    // Under its own name it is in the twin what it is here, to the last byte of what it says.
    private async Task<PointCopy?> ReadAsync(PointName name, CancellationToken cancellationToken)
    {
        PointReading reading = await new RecoveryPointCatalog(_from).ReadAsync([name], cancellationToken).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (reading.Point is { } point)
            {
                (ReadOnlyMemory<byte> content, _) = await _from.ReadSealedAsync(name.Object!.Value.Name, name.Object.Value.Length, cancellationToken).ConfigureAwait(false);
                return new PointCopy(name, point, content);
            }
        }
        catch (BackupException e) when (e.IsDamage)
        {
            // It was there a moment ago.
            await FailAsync(name, reading.Point, e, cancellationToken).ConfigureAwait(false);
            return null;
        }

        // A session that was shut out has no point.
        if (reading.Damage is { } damage)
        {
            await FailAsync(name, null, damage, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    // Whether the twin has all that the point needs, or will once the session is flushed.
    private async Task<bool> TransferAsync(PointCopy copy, ChunkTransfer transfer, CancellationToken cancellationToken)
    {
        _marks = new ChunkMarks(_records);
        _strays.Clear();
        _isLacking = false;
        _marker ??= new Marker(Mark, Math.Max(options.Workers, _from.Objects.Capabilities.MaxConcurrency));
        await _marker.MarkAsync(_from, new[] { new PointReading(default, copy.Point, null) }.ToAsyncEnumerable(), cancellationToken).ConfigureAwait(false);
        BackupException? damage = _marker.Damage.FirstOrDefault()
            ?? (_isLacking ? await transfer.RunAsync(_to!, _marks, [.. _strays.Keys], cancellationToken).ConfigureAwait(false) : null);
        if (damage is null)
        {
            return true;
        }

        _marker = null;
        await FailAsync(copy.Name, copy.Point, damage, cancellationToken).ConfigureAwait(false);
        return false;
    }

    // What the twin has is not read, but what lies below it may be missing there all the same: another copy may have been interrupted.
    private bool Mark(ChunkId id)
    {
        if (_to!.Store.Index.Contains(id))
        {
            return true;
        }

        _isLacking = true;
        if (_records.Find(id) >= 0 && _from.Index.TryFind(id, out _))
        {
            _marks.TryMark(id);
        }
        else
        {
            _strays.TryAdd(id, 0);
        }

        return true;
    }

    private async Task FailAsync(PointName name, RecoveryPoint? point, BackupException damage, CancellationToken cancellationToken)
    {
        // One that has ended meanwhile is not damaged.
        if ((await EndedPoints.FindAsync(_from, [(name.MachineId, name.SessionId)], cancellationToken).ConfigureAwait(false)).Count == 0)
        {
            _damaged.Add(new DamagedPoint(name.SessionId, name.MachineId, point?.MachineName, name.SessionId.Announced, damage));
            _uncopied.Add((name, point?.ParentSessionId));
        }
    }

    /// <summary>A point on its way.</summary>
    /// <param name="Name">Its name in the vault.</param>
    /// <param name="Point">What it says.</param>
    /// <param name="Content">The same, as it is sealed.</param>
    private sealed record PointCopy(PointName Name, RecoveryPoint Point, ReadOnlyMemory<byte> Content);
}
