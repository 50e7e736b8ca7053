using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// The packs of an opened store that did not give what was needed of them, and how often it was had all the same: from another copy, or from parity. Thread-safe.
/// </summary>
internal sealed class BrokenPacks
{
    private readonly ConcurrentDictionary<PackInfo, BackupException?> _packs = new(ReferenceEqualityComparer.Instance);
    private long _fromCopies;
    private long _fromParity;

    /// <summary>The packs that are damaged, or missing though something of them was needed.</summary>
    public IReadOnlyCollection<PackInfo> All => [.. _packs.Keys];

    /// <summary>What was said of those for which something else gave what was needed.</summary>
    public IReadOnlyList<BackupException> Evaded => [.. _packs.Values.OfType<BackupException>()];

    /// <summary>How often a chunk was read from another copy than the first.</summary>
    public long ChunksFromCopies => Interlocked.Read(ref _fromCopies);

    /// <summary>How often a chunk was reconstructed.</summary>
    public long ChunksFromParity => Interlocked.Read(ref _fromParity);

    /// <summary>Notes a pack.</summary>
    public void Add(PackInfo pack) => _packs.TryAdd(pack, null);

    /// <summary>Notes that a chunk was read from another copy.</summary>
    /// <returns>Whether nothing was said of the pack yet.</returns>
    public bool NoteCopy(PackInfo pack, BackupException told)
    {
        Interlocked.Increment(ref _fromCopies);
        return Tell(pack, told);
    }

    /// <summary>Notes that a chunk was reconstructed.</summary>
    /// <returns>Whether nothing was said of the pack yet.</returns>
    public bool NoteParity(PackInfo pack, BackupException told)
    {
        Interlocked.Increment(ref _fromParity);
        return Tell(pack, told);
    }

    private bool Tell(PackInfo pack, BackupException told) => _packs.TryAdd(pack, told) || _packs.TryUpdate(pack, told, null);
}
