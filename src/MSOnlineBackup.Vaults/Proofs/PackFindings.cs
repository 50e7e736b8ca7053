using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What a verification finds of packs, until it is on record. Thread-safe.</summary>
/// <param name="store">The store.</param>
internal sealed class PackFindings(ChunkStore store)
{
    private readonly ConcurrentDictionary<(SessionId Session, uint Number), bool> _found = new();

    /// <summary>The packs of which something is known now, and whether each is whole.</summary>
    public IReadOnlyDictionary<(SessionId Session, uint Number), bool> All => _found;

    /// <summary>Notes that a pack was read. One that is not there may have been collected: nothing is said of it.</summary>
    public void Note(PackInfo pack, bool isSound)
    {
        if (isSound || pack.IsAvailable)
        {
            _found[(pack.Session, pack.Number)] = isSound;
        }
    }

    /// <summary>Notes that a pack is lost of which something is needed.</summary>
    public void NoteLost((SessionId Session, uint Number) pack) => _found[pack] = false;

    /// <summary>Puts on record what was found.</summary>
    public async Task RecordAsync(CancellationToken cancellationToken)
    {
        await ProofLog.WritePacksAsync(store, ProofKind.Packs, Found(isSound: true), cancellationToken).ConfigureAwait(false);
        await ProofLog.WritePacksAsync(store, ProofKind.Damage, Found(isSound: false), cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<((SessionId, uint) Pack, DateTimeOffset? Time)> Found(bool isSound) =>
        _found.Where(found => found.Value == isSound).Select(found => found.Key).Order().Select(pack => (pack, (DateTimeOffset?)null));
}
