using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>Writes a segment from records that come in the order of ids, into a buffer that may be used for the next one.</summary>
/// <param name="packs">The packs that it names.</param>
/// <param name="buffer">As long as <see cref="IndexSegment.LengthOf"/> says for all records that will come, or longer.</param>
internal sealed class IndexSegmentBuilder(IReadOnlyList<PackInfo> packs, byte[] buffer)
{
    private readonly bool[] _holdsAny = new bool[packs.Count];
    private int _records;

    /// <summary>Adds a record. One that is there already is passed over: two segments may have named its pack.</summary>
    /// <param name="chunk">The chunk, its id not below that of the last.</param>
    /// <param name="pack">The place of its pack among the segment's.</param>
    public void Add(in PackedChunk chunk, int pack)
    {
        for (int i = _records - 1; i >= 0 && IndexSegment.ReadRecord(At(i), out int other) is var before && before.Id == chunk.Id; i--)
        {
            if (other == pack && before.Offset == chunk.Offset)
            {
                return;
            }
        }

        IndexSegment.WriteRecord(At(_records++), pack, chunk);
        _holdsAny[pack] = true;
    }

    /// <summary>A pack of which no record has come; null where there is none.</summary>
    public PackInfo? FindEmpty() => Array.IndexOf(_holdsAny, false) is >= 0 and int place ? packs[place] : null;

    /// <summary>The segment, in the buffer. Nothing is added any more.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        IndexSegment.WriteHeader(buffer, packs, _records);
        return buffer.AsMemory(0, IndexSegment.LengthOf(packs.Count, _records));
    }

    private Span<byte> At(int record) => buffer.AsSpan(IndexSegment.LengthOf(packs.Count, record), IndexSegment.RecordLength);
}
