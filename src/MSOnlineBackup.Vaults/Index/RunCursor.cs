using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>Passes over the records of a run in their order.</summary>
internal sealed class RunCursor(IndexRun run)
{
    private const int MostHeld = 1024;

    private readonly byte[] _held = new byte[Math.Min(MostHeld, run.Count) * IndexSegment.RecordLength];
    private int _first;
    private int _end;

    /// <summary>Which record this is; -1 before the first.</summary>
    public int Index { get; private set; } = -1;

    /// <summary>The record.</summary>
    public ReadOnlySpan<byte> Record => _held.AsSpan((Index - _first) * IndexSegment.RecordLength, IndexSegment.RecordLength);

    /// <summary>Its chunk.</summary>
    public ChunkId Id => new(Record[..ChunkId.Length]);

    /// <summary>Goes to the next; false where there is none.</summary>
    public bool MoveNext()
    {
        if (++Index < _end)
        {
            return true;
        }

        if (Index >= run.Count)
        {
            return false;
        }

        _first = Index;
        _end = Math.Min(run.Count, Index + MostHeld);
        run.Read(_first, _held.AsSpan(0, (_end - _first) * IndexSegment.RecordLength));
        return true;
    }
}
