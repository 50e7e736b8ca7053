using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which chunks of an index are needed: a bit for each of its records. Thread-safe.</summary>
/// <param name="records">All records of the index.</param>
internal sealed class ChunkMarks(IndexRecords records)
{
    private volatile bool _lacksAny;
    private readonly long[] _bits = new long[(records.Count + 63) / 64];

    /// <summary>The records.</summary>
    public IndexRecords Records => records;

    /// <summary>Whether a chunk was to be marked that the index does not have.</summary>
    public bool LacksAny => _lacksAny;

    /// <summary>Marks a chunk. True the first time; false where it was marked, or the index does not have it.</summary>
    public bool TryMark(ChunkId id)
    {
        int at = records.Find(id);
        if (at < 0)
        {
            _lacksAny = true;
            return false;
        }

        long bit = 1L << (at & 63);
        return (Volatile.Read(ref _bits[at >> 6]) & bit) == 0 && (Interlocked.Or(ref _bits[at >> 6], bit) & bit) == 0;
    }

    /// <summary>Whether a chunk is marked, by the first of its records.</summary>
    public bool IsMarked(int firstRecord) => (_bits[firstRecord >> 6] & (1L << (firstRecord & 63))) != 0;
}
