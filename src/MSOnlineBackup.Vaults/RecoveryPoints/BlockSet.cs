using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Blocks in their places. The place counts: that a block begins and ends where its node says, and holds what that says, has to be checked for each node that
/// names it. Thread-safe. Memory: some 60 bytes a block, which is as much as the index has of it; there is one block for some thousand files.
/// </summary>
internal sealed class BlockSet
{
    private readonly Lock _gate = new();
    private readonly HashSet<(ChunkId Id, ulong Place)> _blocks = [];

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _blocks.Count == 0;
            }
        }
    }

    /// <summary>Adds a block; false where it was there.</summary>
    public bool Add(in BlockPlace place)
    {
        (ChunkId, ulong) key = Key(place);
        lock (_gate)
        {
            return _blocks.Add(key);
        }
    }

    /// <summary>Whether a block is in it, in this place.</summary>
    public bool Contains(in BlockPlace place)
    {
        (ChunkId, ulong) key = Key(place);
        lock (_gate)
        {
            return _blocks.Contains(key);
        }
    }

    private static (ChunkId Id, ulong Place) Key(in BlockPlace place) => (place.Block.Id, place.Fingerprint());
}
