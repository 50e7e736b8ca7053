using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>The recovery points and checkpoints of a chunk store, newest first: session ids are in the order of commits.</summary>
internal sealed class RecoveryPointCatalog(ChunkStore store)
{
    /// <summary>The points of one machine, or of all. One that cannot be read is reported to the store and passed over: it must not
    /// hide the others.</summary>
    public async IAsyncEnumerable<RecoveryPoint> ReadAsync(
        string? machineId,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string prefix = machineId is null ? VaultLayout.Points(store.StoreId) : VaultLayout.Points(store.StoreId, machineId);
        List<StoredObject> listed = await ListNewestFirstAsync(prefix, cancellationToken).ConfigureAwait(false);
        await foreach (RecoveryPoint? point in ReadAhead.SelectAsync(
            listed,
            store.Objects.Capabilities.MaxConcurrency,
            (found, token) => TryReadAsync(found, SealedObjectKind.RecoveryPoint, token),
            cancellationToken).ConfigureAwait(false))
        {
            if (point is not null)
            {
                yield return point;
            }
        }
    }

    /// <summary>The checkpoints of all machines, newest first, unread.</summary>
    public Task<List<StoredObject>> ListCheckpointsAsync(CancellationToken cancellationToken) =>
        ListNewestFirstAsync(VaultLayout.Checkpoints(store.StoreId), cancellationToken);

    /// <summary>The newest checkpoint of a machine's job that was not committed; null where there is none newer than <paramref name="newerThanSession"/>.</summary>
    public async Task<RecoveryPoint?> FindCheckpointAsync(List<StoredObject> checkpoints, string machineId, string? newerThanSession, CancellationToken cancellationToken)
    {
        foreach (StoredObject found in checkpoints)
        {
            if (!VaultLayout.TryParseNumbered(found.Name, out string? session, out _)
                || (newerThanSession is not null && string.CompareOrdinal(session, newerThanSession) <= 0))
            {
                continue;
            }

            if (await TryReadAsync(found, SealedObjectKind.Checkpoint, cancellationToken).ConfigureAwait(false) is { } checkpoint
                && checkpoint.MachineId == machineId)
            {
                return checkpoint;
            }
        }

        return null;
    }

    private async Task<List<StoredObject>> ListNewestFirstAsync(string prefix, CancellationToken cancellationToken)
    {
        var found = new List<StoredObject>();
        await foreach (StoredObject item in store.Early.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (LastPart(item.Name) is { Length: >= 32 } last && SessionId.IsValid(last.AsSpan(0, 32)))
            {
                found.Add(item);
            }
        }

        found.Sort((x, y) => string.CompareOrdinal(LastPart(y.Name), LastPart(x.Name)));
        return found;
    }

    private async Task<RecoveryPoint?> TryReadAsync(StoredObject found, SealedObjectKind expected, CancellationToken cancellationToken)
    {
        try
        {
            (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
            return kind == expected ? RecoveryPointCodec.Decode(content.Span, found.Name) : null;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            store.Report(e);
            return null;
        }
    }

    private static string LastPart(string name) => name[(name.LastIndexOf('/') + 1)..];
}
