using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Compares the packs of a store that are there with those that its index names, and takes in what no segment names.</summary>
/// <param name="store">The store.</param>
/// <param name="reader">Reads its index.</param>
internal sealed class PackSurvey(ChunkStore store, IndexReader reader)
{
    private readonly Lock _gate = new();
    private Task? _survey;

    // As far as this opened store has looked: what only such a pack holds is not taken for stored.
    private IReadOnlySet<(SessionId Session, uint Number)> _condemned = new HashSet<(SessionId, uint)>();
    private volatile bool _isStale;

    // Found gone when they were read; what that means the next survey says.
    private readonly ConcurrentDictionary<PackInfo, byte> _gone = new(ReferenceEqualityComparer.Instance);
    private int _looks;

    /// <summary>How often packs that are gone were looked for.</summary>
    public int Looks => Volatile.Read(ref _looks);

    /// <summary>
    /// Compares the packs that are there with those the index names: missing and truncated ones count as absent from now on, and
    /// the chunks of those that no segment names (an interrupted job left them, or a segment was lost) are taken in from
    /// their footers. Once for an opened store.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_survey is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _survey = SurveyAsync(Task.FromResult(_condemned), cancellationToken);
            }

            return _survey;
        }
    }

    /// <summary>
    /// What a session must see after it was announced: which packs are there now, and which a collector means to delete. What the index says of the others is
    /// as true as before, whenever it was read: it describes packs, and those never change. The index must have been read.
    /// </summary>
    /// <returns>The packs that could be relied on before and cannot be any more.</returns>
    public async Task<IReadOnlyList<PackInfo>> LookAsync(CancellationToken cancellationToken)
    {
        PackInfo[] before = [.. store.Index.Packs.Where(pack => pack.IsAvailable)];
        Task<IReadOnlySet<(SessionId Session, uint Number)>> condemning = CondemnedPacks.ReadAsync(store, cancellationToken);
        Task surveying;
        lock (_gate)
        {
            _survey = surveying = SurveyAsync(condemning, cancellationToken);
        }

        await Task.WhenAll(condemning, surveying).ConfigureAwait(false);
        _condemned = await condemning.ConfigureAwait(false);
        foreach ((SessionId session, uint number) in _condemned)
        {
            if (store.Index.TryGetPack(session, number, out PackInfo? pack))
            {
                pack.IsAvailable = false;
            }
        }

        return [.. before.Where(pack => !pack.IsAvailable)];
    }

    /// <summary>Notes that a pack is gone which the index names: lost, or written anew by a collector since the index was read.</summary>
    public void NoteGone(PackInfo pack)
    {
        _gone.TryAdd(pack, 0);
        _isStale = true;
    }

    /// <summary>Looks for what a collector may have written anew, since the index was read, of packs that are gone. True where it was looked for.</summary>
    /// <param name="looks">How often that was done before the pack was found gone.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<bool> LookForMovedAsync(int looks, CancellationToken cancellationToken)
    {
        Task surveying;
        lock (_gate)
        {
            if (_isStale)
            {
                _isStale = false;
                Interlocked.Increment(ref _looks);
                _survey = RefreshAndSurveyAsync();
            }
            else if (looks == _looks)
            {
                return false;
            }

            surveying = _survey!;
        }

#pragma warning disable VSTHRD003 // Nothing in the engine has a context to block.
        await surveying.ConfigureAwait(false);
#pragma warning restore VSTHRD003
        return true;

        async Task RefreshAndSurveyAsync()
        {
            await reader.RefreshAsync(cancellationToken).ConfigureAwait(false);
            await SurveyAsync(Task.FromResult(_condemned), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SurveyAsync(Task<IReadOnlySet<(SessionId Session, uint Number)>> condemning, CancellationToken cancellationToken)
    {
        // What is registered after this line was written by a session that is still at work.
        IReadOnlyList<PackInfo> named = store.Index.Packs;
        var present = new HashSet<PackInfo>(ReferenceEqualityComparer.Instance);
        var strange = new List<(StoredObject Found, SessionId Session, uint Number)>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Packs(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (!VaultLayout.TryParseNumbered(found.Name, out SessionId session, out uint number))
            {
                continue;
            }

            if (!store.Index.TryGetPack(session, number, out PackInfo? pack))
            {
                strange.Add((found, session, number));
            }
            else if (pack.Length == found.Length)
            {
                present.Add(pack);
            }
        }

#pragma warning disable VSTHRD003 // Nothing in the engine has a context to block.
        IReadOnlySet<(SessionId Session, uint Number)> condemned = await condemning.ConfigureAwait(false);
#pragma warning restore VSTHRD003
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = store.Objects.Capabilities.MaxConcurrency };
        await Parallel.ForEachAsync(
            strange.Where(pack => !condemned.Contains((pack.Session, pack.Number))),
            options,
            (pack, token) => new ValueTask(AdoptAsync(pack.Found, pack.Session, pack.Number, token))).ConfigureAwait(false);

        List<PackInfo> missing = [.. named.Where(pack => !present.Contains(pack) && (_gone.TryRemove(pack, out _) || pack.IsAvailable))];
        foreach (PackInfo pack in missing)
        {
            pack.IsAvailable = false;
        }

        if (missing.Count > 0)
        {
            await JudgeMissingAsync(missing, cancellationToken).ConfigureAwait(false);
        }
    }

    // Whoever only reads goes on without a record that cannot be read.
    private async Task<IReadOnlySet<(SessionId Session, uint Number)>> ReadCondemnedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await CondemnedPacks.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            store.Report(e);
            return new HashSet<(SessionId Session, uint Number)>();
        }
    }

    // A collector deletes packs that it has condemned, and then takes them out of the index: one is lost only where a segment that is there names it, and no
    // record condemned it before the segments were listed.
    private async Task JudgeMissingAsync(List<PackInfo> missing, CancellationToken cancellationToken)
    {
        IReadOnlySet<(SessionId Session, uint Number)> condemned = await ReadCondemnedAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlySet<string> segments = await reader.RefreshAsync(cancellationToken).ConfigureAwait(false);
        HashSet<PackInfo> named = [.. reader.SegmentPacks.Where(segment => segments.Contains(segment.Key)).SelectMany(segment => segment.Value)];
        foreach (PackInfo pack in missing.Where(pack => named.Contains(pack) && !condemned.Contains((pack.Session, pack.Number))))
        {
            store.Report(VaultDamage.Missing(store.NameOf(pack), "Pack (or its full length)"));
        }
    }

    private async Task AdoptAsync(StoredObject found, SessionId session, uint number, CancellationToken cancellationToken)
    {
        try
        {
            (PackInfo pack, IReadOnlyList<PackedChunk> chunks) = await store.ReadFooterAsync(found, session, number, cancellationToken).ConfigureAwait(false);
            store.Index.AddPack(pack, chunks);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            // Most likely a torn pack of an interrupted job. Whatever it is: the other packs are to be read all the same.
            store.Report(e, isLeftover: true);
        }
    }
}
