using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which one of several holders needs each chunk of an index, or that more than one does. Thread-safe. Memory: 4 bytes for each record.</summary>
/// <param name="records">All records of the index.</param>
internal sealed class ChunkHolders(IndexRecords records)
{
    /// <summary>Whoever stays: what it needs is nobody's alone. It must have been asked before the others.</summary>
    public const int Staying = -1;

    /// <summary>More than one of those that do not stay.</summary>
    public const int Several = -2;

    private readonly int[] _holders = new int[records.Count];

    /// <summary>Notes that a chunk is needed.</summary>
    /// <param name="id">The chunk.</param>
    /// <param name="holder">By whom: from 1, or <see cref="Staying"/>.</param>
    /// <returns>Whether that says anything new, of this chunk or of what lies below it; true where the index does not have it.</returns>
    public bool Hold(ChunkId id, int holder)
    {
        int at = records.Find(id);
        if (at < 0)
        {
            return true;
        }

        ref int held = ref _holders[at];
        for (int before = Volatile.Read(ref held); ;)
        {
            int after = before == 0 ? holder : before == holder || before < 0 ? before : Several;
            if (after == before)
            {
                return false;
            }

            int found = Interlocked.CompareExchange(ref held, after, before);
            if (found == before)
            {
                return true;
            }

            before = found;
        }
    }

    /// <summary>The stored bytes of the chunks that each holder alone needs. Of a chunk with several copies one counts.</summary>
    public Dictionary<int, long> Measure()
    {
        var bytes = new Dictionary<int, long>();
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            // One record of a chunk has its holder.
            int holder = _holders[pass.Number];
            if (holder != 0)
            {
                bytes[holder] = bytes.GetValueOrDefault(holder) + IndexSegment.ReadRecord(pass.Record, out _).StoredLength;
            }
        }

        return bytes;
    }
}
