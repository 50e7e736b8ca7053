using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// What is known of a source from before: its manifest in the last point, and in the newest checkpoint of a job that was
/// interrupted since. Walked beside the source, each once, in the same order.
/// </summary>
/// <remarks>A baseline only saves work. One that turns out damaged is dropped, and the source is read instead.</remarks>
internal sealed class Baseline
{
    private readonly ChunkStore _store;
    private ManifestCursor? _previous;
    private ManifestCursor? _checkpoint;

    public Baseline(ChunkStore store, ManifestRoot? previous, ManifestRoot? checkpoint)
    {
        _store = store;
        _previous = previous is null ? null : new ManifestCursor(store, previous);
        _checkpoint = checkpoint is null ? null : new ManifestCursor(store, checkpoint);
    }

    /// <summary>The entries known at a path; ask in ascending order.</summary>
    public async ValueTask<KnownEntries> AdvanceToAsync(EntryPath path, CancellationToken cancellationToken)
    {
        ManifestEntry? previous = null;
        ManifestEntry? checkpoint = null;
        try
        {
            if (_previous is not null)
            {
                previous = await _previous.AdvanceToAsync(path, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _store.Report(e);
            _previous = null;
        }

        try
        {
            if (_checkpoint is not null)
            {
                checkpoint = await _checkpoint.AdvanceToAsync(path, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _store.Report(e);
            _checkpoint = null;
        }

        return new KnownEntries(previous, checkpoint);
    }

    /// <summary>Everything that the last point had below a folder that cannot be listed now.</summary>
    public async IAsyncEnumerable<ManifestEntry> ReadBelowAsync(
        EntryPath folder,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_previous is null)
        {
            yield break;
        }

        // Damage in here must fail the job: what cannot be read now and cannot be carried over would be lost from the point.
        await foreach (ManifestEntry entry in _previous.ReadBelow(folder, cancellationToken).ConfigureAwait(false))
        {
            yield return entry;
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
