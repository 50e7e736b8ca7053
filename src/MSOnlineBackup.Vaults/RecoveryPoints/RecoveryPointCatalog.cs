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
internal readonly record struct PointName(MachineId MachineId, SessionId SessionId, StoredObject? Object);

/// <summary>What was read of a name: a point, or why there is none.</summary>
internal readonly record struct PointReading(PointName Name, RecoveryPoint? Point, BackupException? Damage);

/// <summary>The recovery points and checkpoints of a chunk store, newest first: session ids are in the order of commits. What is newest is told by names
/// alone: a damaged point keeps its place.</summary>
internal sealed class RecoveryPointCatalog(ChunkStore store)
{
    /// <summary>The names of one machine's points, or of all, newest first. Strangers' files are none.</summary>
    public async Task<List<PointName>> ListNamesAsync(MachineId? machineId, CancellationToken cancellationToken)
    {
        List<PointName> names = await ListAsync(
            machineId is { } machine ? VaultLayout.Points(store.StoreId, machine) : VaultLayout.Points(store.StoreId), cancellationToken).ConfigureAwait(false);
        Sort(names);
        return names;
    }

    /// <summary>The names, with those of points that the vault says were there and are gone: for whoever must not take an older one for the newest.</summary>
    public async Task<List<PointName>> ListNamesAndLossesAsync(MachineId? machineId, CancellationToken cancellationToken)
    {
        Task<List<PointName>> listing = ListAsync(
            machineId is { } machine ? VaultLayout.Commits(store.StoreId, machine) : VaultLayout.Commits(store.StoreId), cancellationToken);
        List<PointName> names = await ListNamesAsync(machineId, cancellationToken).ConfigureAwait(false);
        var present = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        bool isWhole = true;
        foreach (PointName said in await listing.ConfigureAwait(false))
        {
            // A point is there before it is said to be; but the one list may be read before the other.
            if (!present.Contains((said.MachineId, said.SessionId)))
            {
                StoredObject? found = await store.Objects.StatAsync(VaultLayout.Point(store.StoreId, said.MachineId, said.SessionId), cancellationToken).ConfigureAwait(false);
                names.Add(said with { Object = found });
                isWhole = false;
            }
        }

        if (!isWhole)
        {
            Sort(names);
        }

        return names;
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

    /// <summary>The points of one machine, or of all. One that cannot be read is reported to the store and passed over: callers need what can be read.</summary>
    public async IAsyncEnumerable<RecoveryPoint> ReadAsync(MachineId? machineId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<PointName> names = await ListNamesAsync(machineId, cancellationToken).ConfigureAwait(false);
        await foreach (PointReading reading in ReadAsync(names, cancellationToken).ConfigureAwait(false))
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
        List<StoredObject> found = await store.Early.ListAsync(VaultLayout.Checkpoints(store.StoreId), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        found.Sort((x, y) => string.CompareOrdinal(y.Name, x.Name));
        return found;
    }

    /// <summary>The newest checkpoint of a machine's job that was not committed; null where there is none newer than <paramref name="newerThanSession"/>.</summary>
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
                if (await OpenAsync(found, SealedObjectKind.Checkpoint, cancellationToken).ConfigureAwait(false) is { } checkpoint && checkpoint.MachineId == machineId)
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

    private async Task<PointReading> ReadAsync(PointName name, CancellationToken cancellationToken)
    {
        if (name.Object is not { } stored)
        {
            return new PointReading(name, null, VaultDamage.LostPoint(VaultLayout.Point(store.StoreId, name.MachineId, name.SessionId)));
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

    // Null for a fence, which may stand there and is not a point.
    private async Task<RecoveryPoint?> OpenAsync(StoredObject found, SealedObjectKind expected, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
        return kind == expected ? RecoveryPointCodec.Decode(content.Span, found.Name)
            : kind == SealedObjectKind.Fence ? null
            : throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
    }
}
