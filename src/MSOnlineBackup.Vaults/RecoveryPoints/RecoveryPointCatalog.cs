using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A recovery point by its name alone, read or not.</summary>
/// <param name="MachineId">Its machine.</param>
/// <param name="SessionId">Its session.</param>
/// <param name="Object">What is stored under the name; null where the vault says that there was a point, and nothing is there.</param>
/// <param name="Decisions">What was decided on its deletion, unread; null where nothing ever was.</param>
internal readonly record struct PointName(MachineId MachineId, SessionId SessionId, StoredObject? Object, DeletionSeries? Decisions = null);

/// <summary>What was read of a name: a point, or why there is none.</summary>
internal readonly record struct PointReading(PointName Name, RecoveryPoint? Point, BackupException? Damage);

/// <summary>The recovery points and checkpoints of a chunk store, newest first: session ids are in the order of commits. What is newest is told by names
/// alone: a damaged point keeps its place, and so does one that was deleted and can be brought back, though no list shows it.</summary>
internal sealed class RecoveryPointCatalog(ChunkStore store)
{
    private readonly DeletionLog _deletions = new(store);

    /// <summary>The names of one machine's points, or of all, newest first. Strangers' files are none.</summary>
    /// <param name="machineId">The machine; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="includeDeleted">Whether those that are deleted and can be brought back are wanted too: who asks what data are needed must see them.</param>
    public async Task<List<PointName>> ListNamesAsync(MachineId? machineId, CancellationToken cancellationToken, bool includeDeleted = false)
    {
        var names = new List<PointName>();
        await foreach ((PointName name, Deletion deletion) in ReadDecisionsAsync(
            await ListAllAsync(machineId, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
        {
            if (includeDeleted ? deletion.State != DeletionState.Gone : !deletion.IsHidden)
            {
                names.Add(name);
            }
        }

        return names;
    }

    /// <summary>The names of all points that are there, newest first, deleted or not: for whatever goes by their order.</summary>
    public async Task<List<PointName>> ListAllAsync(MachineId? machineId, CancellationToken cancellationToken) =>
        (await ListWithDecisionsAsync(machineId, cancellationToken).ConfigureAwait(false)).Names;

    /// <summary>
    /// The names of all points, deleted or not, with those of points that the vault says were there and are gone: for whoever must not take an older one for
    /// the newest.
    /// </summary>
    public async Task<List<PointName>> ListAllAndLossesAsync(MachineId? machineId, CancellationToken cancellationToken)
    {
        Task<List<PointName>> listing = ListAsync(
            machineId is { } machine ? VaultLayout.Commits(store.StoreId, machine) : VaultLayout.Commits(store.StoreId), cancellationToken);
        (List<PointName> names, Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> decisions) =
            await ListWithDecisionsAsync(machineId, cancellationToken).ConfigureAwait(false);
        var present = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        bool isWhole = true;
        foreach (PointName said in await listing.ConfigureAwait(false))
        {
            // A point is there before it is said to be; but the one list may be read before the other.
            if (!present.Contains((said.MachineId, said.SessionId)))
            {
                StoredObject? found =
                    await store.Objects.StatAsync(VaultLayout.Point(store.StoreId, said.MachineId, said.SessionId), cancellationToken).ConfigureAwait(false);
                names.Add(said with { Object = found, Decisions = decisions.GetValueOrDefault((said.MachineId, said.SessionId)) });
                isWhole = false;
            }
        }

        if (!isWhole)
        {
            Sort(names);
        }

        return names;
    }

    /// <summary>The names of points on whose deletion anything was ever decided, newest first, whether they are there or not.</summary>
    public async Task<List<PointName>> ListDecidedAsync(MachineId? machineId, CancellationToken cancellationToken)
    {
        (List<PointName> names, Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> decisions) =
            await ListWithDecisionsAsync(machineId, cancellationToken).ConfigureAwait(false);
        var present = names.ToDictionary(name => (name.MachineId, name.SessionId), name => name.Object);
        List<PointName> decided =
        [
            .. decisions.Values.Select(
                series => new PointName(series.MachineId, series.SessionId, present.GetValueOrDefault((series.MachineId, series.SessionId)), series)),
        ];
        Sort(decided);
        return decided;
    }

    /// <summary>What was decided on each point, in the order of their names.</summary>
    public IAsyncEnumerable<(PointName Name, Deletion Deletion)> ReadDecisionsAsync(IEnumerable<PointName> names, CancellationToken cancellationToken) =>
        ReadAhead.SelectAsync(
            names,
            store.Objects.Capabilities.MaxConcurrency,
            async (name, token) => (name, await _deletions.ReadAsync(name.Decisions, token).ConfigureAwait(false)),
            cancellationToken);

    /// <summary>
    /// Reads those points that are not deleted, in the order of their names, as <see cref="ReadAsync(IEnumerable{PointName}, CancellationToken)"/> does.
    /// </summary>
    public async IAsyncEnumerable<PointReading> ReadShownAsync(IEnumerable<PointName> names, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (PointReading reading in ReadAhead.SelectAsync(names, store.Objects.Capabilities.MaxConcurrency, ReadShownAsync, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not null || reading.Damage is not null)
            {
                yield return reading;
            }
        }
    }

    /// <summary>Reads points in the order of their names. What cannot be read is said in its place; a session that was shut out is passed over.</summary>
    public async IAsyncEnumerable<PointReading> ReadAsync(IEnumerable<PointName> names, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (PointReading reading in ReadAhead.SelectAsync(names, store.Objects.Capabilities.MaxConcurrency, ReadAsync, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not null || reading.Damage is not null)
            {
                yield return reading;
            }
        }
    }

    /// <summary>Those points that are not deleted. One that cannot be read is reported to the store and passed over: callers need what can be read.</summary>
    public async IAsyncEnumerable<RecoveryPoint> ReadReadableAsync(IEnumerable<PointName> names, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (PointReading reading in ReadShownAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is { } point)
            {
                yield return point;
            }
            else
            {
                store.Report(reading.Damage!);
            }
        }
    }

    /// <summary>The checkpoints of all machines, newest first, unread.</summary>
    public async Task<List<StoredObject>> ListCheckpointsAsync(CancellationToken cancellationToken)
    {
        List<StoredObject> found =
            await store.Early.ListAsync(VaultLayout.Checkpoints(store.StoreId), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        found.Sort((x, y) => string.CompareOrdinal(y.Name, x.Name));
        return found;
    }

    /// <summary>
    /// The newest checkpoint of a machine's job that was not committed; null where there is none newer than <paramref name="newerThanSession"/>.
    /// </summary>
    public async Task<RecoveryPoint?> FindCheckpointAsync(
        List<StoredObject> checkpoints, MachineId machineId, SessionId? newerThanSession, CancellationToken cancellationToken)
    {
        foreach (StoredObject found in checkpoints)
        {
            if (!VaultLayout.TryParseNumbered(found.Name, out SessionId session, out _)
                || session <= newerThanSession)
            {
                continue;
            }

            try
            {
                if (await OpenAsync(found, SealedObjectKind.Checkpoint, cancellationToken).ConfigureAwait(false) is { } checkpoint
                    && checkpoint.MachineId == machineId)
                {
                    return checkpoint;
                }
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                store.Report(e, isLeftover: true);
            }
        }

        return null;
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<RecoveryPoint> ReadCheckpointAsync(StoredObject found, CancellationToken cancellationToken) =>
        await OpenAsync(found, SealedObjectKind.Checkpoint, cancellationToken).ConfigureAwait(false) ?? throw VaultDamage.Corrupt(found.Name, "it is not a checkpoint");

    private static void Sort(List<PointName> names) => names.Sort((x, y) => y.SessionId.CompareTo(x.SessionId));

    // Side by side, for a vault may be far away.
    private async Task<(List<PointName> Names, Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> Decisions)> ListWithDecisionsAsync(
        MachineId? machineId, CancellationToken cancellationToken)
    {
        Task<Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries>> deciding = _deletions.ListAsync(store.Early, machineId, cancellationToken);
        Task<List<PointName>> listing = ListAsync(
            machineId is { } machine ? VaultLayout.Points(store.StoreId, machine) : VaultLayout.Points(store.StoreId), cancellationToken);
        await Task.WhenAll(deciding, listing).ConfigureAwait(false);
        Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> decisions = await deciding.ConfigureAwait(false);
        List<PointName> names = await listing.ConfigureAwait(false);
        Sort(names);
        return (
            decisions.Count == 0 ? names : names.ConvertAll(name => name with { Decisions = decisions.GetValueOrDefault((name.MachineId, name.SessionId)) }),
            decisions);
    }

    private async Task<List<PointName>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var names = new List<PointName>();
        await foreach (StoredObject found in store.Early.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session))
            {
                names.Add(new PointName(machine, session, found));
            }
        }

        return names;
    }

    private async Task<PointReading> ReadShownAsync(PointName name, CancellationToken cancellationToken) =>
        (await _deletions.ReadAsync(name.Decisions, cancellationToken).ConfigureAwait(false)).IsHidden
            ? new PointReading(name, null, null)
            : await ReadAsync(name, cancellationToken).ConfigureAwait(false);

    private async Task<PointReading> ReadAsync(PointName name, CancellationToken cancellationToken)
    {
        if (name.Object is not { } stored)
        {
            return await ReadCopyAsync(
                name, VaultDamage.LostPoint(VaultLayout.Point(store.StoreId, name.MachineId, name.SessionId)), cancellationToken).ConfigureAwait(false);
        }

        try
        {
            RecoveryPoint? point = await OpenAsync(stored, SealedObjectKind.RecoveryPoint, cancellationToken).ConfigureAwait(false);
            return point is null || (point.SessionId == name.SessionId && point.MachineId == name.MachineId)
                ? new PointReading(name, point, null)
                : new PointReading(name, null, VaultDamage.Corrupt(stored.Name, "it claims to be another recovery point"));
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return new PointReading(name, null, e);
        }
    }

    // A point that is lost may have a second copy.
    private async Task<PointReading> ReadCopyAsync(PointName name, BackupException loss, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.TryReadCopyAsync(loss.Target!, cancellationToken).ConfigureAwait(false) is { Kind: SealedObjectKind.RecoveryPoint } copy
                && RecoveryPointCodec.Decode(copy.Plaintext.Span, loss.Target!) with { Created = copy.Created } is var point
                && point.SessionId == name.SessionId && point.MachineId == name.MachineId)
            {
                store.Report(loss);
                return new PointReading(name, point, null);
            }
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            // Then it is as lost as without a copy.
        }

        return new PointReading(name, null, loss);
    }

    // Null for a fence, which may stand there and is not a point.
    private async Task<RecoveryPoint?> OpenAsync(StoredObject found, SealedObjectKind expected, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
        return kind == expected ? RecoveryPointCodec.Decode(content.Span, found.Name) with { Created = found.Created }
            : kind == SealedObjectKind.Fence ? null
            : throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
    }
}
