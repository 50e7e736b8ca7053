using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// What is known of a source from before: its manifest in the last point, and in the newest checkpoint of a job that was
/// interrupted since. Walked beside the source, each once, in the same order.
/// </summary>
/// <remarks>A baseline only saves work. Where a block of it turns out damaged, what it listed is read from the source instead, and the next block holds again.</remarks>
internal sealed class Baseline
{
    private readonly ChunkStore _store;
    private readonly ManifestCursor? _previous;
    private readonly ManifestCursor? _checkpoint;

    // Whether the entry that the cursor is on was given out.
    private bool _isTaken;

    public Baseline(ChunkStore store, ManifestRoot? previous, ManifestRoot? checkpoint)
    {
        _store = store;
        _previous = previous is null ? null : new ManifestCursor(store, previous);
        _checkpoint = checkpoint is null ? null : new ManifestCursor(store, checkpoint);
    }

    /// <summary>The last point that has the source; null where there is none.</summary>
    public SessionId? Session { get; init; }

    /// <summary>Whether part of it could not be read, so that nobody knows all that was there.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Why what the last point has at the path asked for last is not known: its block is damaged. Null where it is known.</summary>
    public BackupException? Lost { get; private set; }

    /// <summary>
    /// The next entry of the last point that lies before a path and was asked for by nobody: the walk did not meet it. Null where there is none.
    /// </summary>
    /// <param name="path">What the walk is at; null at its end.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<ManifestEntry?> PassAsync(EntryPath? path, CancellationToken cancellationToken)
    {
        if (_previous is null)
        {
            return null;
        }

        try
        {
            if (_isTaken && _previous.IsOnEntry)
            {
                _isTaken = false;
                await _previous.MoveNextAsync(cancellationToken).ConfigureAwait(false);
            }
            else if (!_previous.IsOnEntry && path is null)
            {
                return null;
            }

            if (!_previous.IsOnEntry || (path is { } at && EntryPath.Compare(_previous.Path, at.Bytes) >= 0))
            {
                return null;
            }

            _isTaken = true;
            return _previous.Current;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Report(e);
            Lost = e;
            return null;
        }
    }

    /// <summary>Passes over all that the last point has below a folder.</summary>
    public async ValueTask SkipBelowAsync(EntryPath folder, CancellationToken cancellationToken)
    {
        if (_previous is null)
        {
            return;
        }

        try
        {
            // After everything below it and before all else: no name has a NUL.
            await _previous.SeekAsync(new EntryPath([.. folder.Bytes, 0]), cancellationToken).ConfigureAwait(false);
            _isTaken = false;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Report(e);
        }
    }

    /// <summary>The entries known at a path; ask in ascending order.</summary>
    public async ValueTask<KnownEntries> AdvanceToAsync(EntryPath path, CancellationToken cancellationToken)
    {
        ManifestEntry? previous = await AdvanceAsync(_previous, path, cancellationToken).ConfigureAwait(false);
        if (previous is not null)
        {
            _isTaken = true;
            Lost = null;
        }

        ManifestEntry? checkpoint = await AdvanceAsync(_checkpoint, path, cancellationToken).ConfigureAwait(false);
        return new KnownEntries(previous, checkpoint);
    }

    /// <summary>Everything that the last point had below a folder that cannot be listed now, as far as it can be read.</summary>
    /// <param name="lost">Told of each part that cannot be read: what it listed cannot be carried over.</param>
    public async IAsyncEnumerable<ManifestEntry> ReadBelowAsync(
        EntryPath folder,
        Action<BackupException> lost,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_previous is null)
        {
            yield break;
        }

        _isTaken = false;
        bool? found = await TryAsync(_previous.SeekAsync(folder, cancellationToken)).ConfigureAwait(false);
        while (found is null || (found.Value && EntryPath.IsAtOrBelow(_previous.Path, folder.Bytes)))
        {
            if (found is not null && _previous.Path.Length != folder.Bytes.Length)
            {
                yield return _previous.Current;
            }

            found = await TryAsync(found is null ? _previous.SeekAsync(folder, cancellationToken) : _previous.MoveNextAsync(cancellationToken)).ConfigureAwait(false);
        }

        // Null where a block is damaged: the cursor stands before the next one.
        async ValueTask<bool?> TryAsync(ValueTask<bool> move)
        {
            try
            {
                return await move.ConfigureAwait(false);
            }
            catch (BackupException e) when (e.IsDamage)
            {
                Report(e);
                lost(e);
                return null;
            }
        }
    }

    private void Report(BackupException damage)
    {
        IsDamaged = true;
        _store.Report(damage);
    }

    private async ValueTask<ManifestEntry?> AdvanceAsync(ManifestCursor? cursor, EntryPath path, CancellationToken cancellationToken)
    {
        try
        {
            return cursor is null ? null : await cursor.AdvanceToAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Report(e);
            Lost = cursor == _previous ? e : Lost;
            return null;
        }
    }
}

/// <summary>What the last point and the checkpoint say of one path.</summary>
internal readonly record struct KnownEntries(ManifestEntry? Previous, ManifestEntry? Checkpoint)
{
    /// <summary>The one that is the same state as the entry and was read as a whole, if any.</summary>
    public ManifestEntry? Matching(ManifestEntry entry) =>
        IsWholeAndSame(Checkpoint, entry) ? Checkpoint : IsWholeAndSame(Previous, entry) ? Previous : null;

    private static bool IsWholeAndSame(ManifestEntry? known, ManifestEntry entry) =>
        known is not null && (known.Flags & ~EntryFlags.KeptFromEarlier) == EntryFlags.None && known.SameStateAs(entry);
}
