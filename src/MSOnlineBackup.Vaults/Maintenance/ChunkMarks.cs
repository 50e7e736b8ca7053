using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which chunks of an index are needed: a bit for each of its records. Thread-safe.</summary>
/// <param name="records">All records of the index.</param>
internal sealed class ChunkMarks(IndexRecords records)
{
    private volatile bool _lacksAny;
    private readonly long[] _bits = new long[(records.Count + 63) / 64];
    private byte[]? _steps;

    /// <summary>The records.</summary>
    public IndexRecords Records => records;

    /// <summary>Whether a chunk was to be marked that the index does not have.</summary>
    public bool LacksAny => _lacksAny;

    /// <summary>What is noted of chunks that are marked from now on, for the first time; 0 unless set. To be set while nobody marks.</summary>
    public byte Step
    {
        get;
        set
        {
            field = value;
            _steps ??= value == 0 ? null : new byte[records.Count];
        }
    }

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
        bool isFirst = (Volatile.Read(ref _bits[at >> 6]) & bit) == 0 && (Interlocked.Or(ref _bits[at >> 6], bit) & bit) == 0;
        if (isFirst && _steps is not null)
        {
            _steps[at] = Step;
        }

        return isFirst;
    }

    /// <summary>What was noted of a chunk when it was marked, by the first of its records.</summary>
    public byte StepAt(int firstRecord) => _steps is null ? (byte)0 : _steps[firstRecord];

    /// <summary>What was noted of a chunk when it was marked; 0 where it was not.</summary>
    public byte StepOf(ChunkId id) => records.Find(id) is >= 0 and int at ? StepAt(at) : (byte)0;

    /// <summary>Whether a chunk is marked, by the first of its records.</summary>
    public bool IsMarked(int firstRecord) => (_bits[firstRecord >> 6] & (1L << (firstRecord & 63))) != 0;
}
