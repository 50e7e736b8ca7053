using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// The plaintext of an index segment: what the packs it names hold.
/// <c>version u32 | packs u32 | records u32 | critical flags u32 | packs × 64 bytes | records × 56 bytes</c>, little-endian, records sorted
/// by chunk id. Fixed-width, so that a segment can be searched where it lies.
/// </summary>
internal static class IndexSegment
{
    public const uint Version = 1;
    public const int HeaderLength = 16;
    private const int FlagsOffset = 12;

    /// <summary>More go into a further segment.</summary>
    public const int MaxRecords = 400_000;

    // A pack: session 16 | number u32 | length u32 | kind u8 | critical flags u8 | epoch u8 | 5 zero bytes | salt 32.
    public const int PackLength = 64;
    private const int PackNumberOffset = 16;
    private const int PackLengthOffset = PackNumberOffset + sizeof(uint);
    private const int PackKindOffset = PackLengthOffset + sizeof(uint);
    private const int PackFlagsOffset = PackKindOffset + 1;
    private const int PackEpochOffset = PackFlagsOffset + 1;
    private const int PackSaltOffset = PackKindOffset + 8;

    // A record: id 32 | pack u32 | offset u32 | stored u32 | raw u32 | ordinal u32 | kind u8 | encoding u8 | 2 zero bytes.
    public const int RecordLength = 56;
    private const int RecordPackOffset = ChunkId.Length;
    private const int RecordOffsetOffset = RecordPackOffset + sizeof(uint);
    private const int RecordStoredOffset = RecordOffsetOffset + sizeof(uint);
    private const int RecordRawOffset = RecordStoredOffset + sizeof(uint);
    private const int RecordOrdinalOffset = RecordRawOffset + sizeof(uint);
    private const int RecordKindOffset = RecordOrdinalOffset + sizeof(uint);
    private const int RecordEncodingOffset = RecordKindOffset + 1;

    /// <summary>Writes a segment: these packs with these chunks.</summary>
    public static byte[] Encode(IReadOnlyList<(PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)> packs)
    {
        var order = new List<(int Pack, PackedChunk Chunk)>(packs.Sum(p => p.Chunks.Count));
        for (int i = 0; i < packs.Count; i++)
        {
            int index = i;
            order.AddRange(packs[i].Chunks.Select(chunk => (index, chunk)));
        }

        order.Sort((x, y) => x.Chunk.Id.CompareTo(y.Chunk.Id) is var c && c != 0 ? c : x.Pack.CompareTo(y.Pack));
        byte[] buffer = new byte[LengthOf(packs.Count, order.Count)];
        var segment = new IndexSegmentBuilder([.. packs.Select(p => p.Pack)], buffer);
        foreach ((int pack, PackedChunk chunk) in order)
        {
            segment.Add(chunk, pack);
        }

        ReadOnlyMemory<byte> written = segment.Finish();
        return written.Length == buffer.Length ? buffer : written.ToArray();
    }

    /// <summary>The length of a segment in bytes.</summary>
    public static int LengthOf(int packs, int records) => HeaderLength + (packs * PackLength) + (records * RecordLength);

    /// <summary>Writes the beginning of a segment: its header, and its packs.</summary>
    public static void WriteHeader(Span<byte> segment, IReadOnlyList<PackInfo> packs, int records)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(segment, Version);
        BinaryPrimitives.WriteInt32LittleEndian(segment[4..], packs.Count);
        BinaryPrimitives.WriteInt32LittleEndian(segment[8..], records);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[FlagsOffset..], 0);
        for (int i = 0; i < packs.Count; i++)
        {
            WritePack(segment.Slice(HeaderLength + (i * PackLength), PackLength), packs[i]);
        }
    }

    /// <summary>Reads a segment: checks every field and returns the records with their pack numbers replaced by what <paramref name="register"/> answers.</summary>
    /// <param name="name">The segment's name.</param>
    /// <param name="segment">Its plaintext.</param>
    /// <param name="knowsEpoch">Whether the master key of an epoch is at hand.</param>
    /// <param name="register">Gets each pack, and returns its number.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static byte[] Decode(string name, ReadOnlySpan<byte> segment, Func<byte, bool> knowsEpoch, Func<PackInfo, int> register)
    {
        if (segment.Length < HeaderLength)
        {
            throw VaultDamage.Corrupt(name, "it is too short for an index segment");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(segment);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(segment[FlagsOffset..]);
        if (version != Version || flags != 0)
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Index segment '{name}' has format {version} and flags {flags}; this version reads {Version} without flags.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        long packCount = BinaryPrimitives.ReadUInt32LittleEndian(segment[4..]);
        long recordCount = BinaryPrimitives.ReadUInt32LittleEndian(segment[8..]);
        if (segment.Length != HeaderLength + (packCount * PackLength) + (recordCount * RecordLength))
        {
            throw VaultDamage.Corrupt(name, "its counts do not fit its length");
        }

        var packs = new PackInfo[packCount];
        for (int i = 0; i < packCount; i++)
        {
            packs[i] = TryReadPack(segment.Slice(HeaderLength + (i * PackLength), PackLength), knowsEpoch) ?? throw VaultDamage.Corrupt(name, "it names an impossible pack");
        }

        byte[] records = segment[(HeaderLength + ((int)packCount * PackLength))..].ToArray();
        ChunkId previous = default;
        for (int at = 0; at < records.Length; at += RecordLength)
        {
            Span<byte> record = records.AsSpan(at, RecordLength);
            var id = new ChunkId(record[..ChunkId.Length]);
            uint pack = BinaryPrimitives.ReadUInt32LittleEndian(record[RecordPackOffset..]);
            long offset = BinaryPrimitives.ReadUInt32LittleEndian(record[RecordOffsetOffset..]);
            long stored = BinaryPrimitives.ReadUInt32LittleEndian(record[RecordStoredOffset..]);
            long raw = BinaryPrimitives.ReadUInt32LittleEndian(record[RecordRawOffset..]);
            if (id < previous || pack >= packCount || stored is < PackFormat.TagLength or > PackFormat.MaxStoredLength || raw > ChunkCodec.MaxRawLength || offset + stored > packs[pack].Length)
            {
                throw VaultDamage.Corrupt(name, "it has an impossible record");
            }

            previous = id;
        }

        // Only now: a pack that counts as indexed is not asked for its footer.
        int[] registered = [.. packs.Select(register)];
        for (int at = RecordPackOffset; at < records.Length; at += RecordLength)
        {
            Span<byte> pack = records.AsSpan(at, sizeof(uint));
            BinaryPrimitives.WriteInt32LittleEndian(pack, registered[BinaryPrimitives.ReadUInt32LittleEndian(pack)]);
        }

        return records;
    }

    /// <summary>Writes what a segment says of a pack.</summary>
    public static void WritePack(Span<byte> destination, PackInfo pack)
    {
        destination.Clear();
        pack.Session.ToBytes().CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[PackNumberOffset..], pack.Number);
        BinaryPrimitives.WriteInt32LittleEndian(destination[PackLengthOffset..], pack.Length);
        destination[PackKindOffset] = (byte)pack.Kind;
        destination[PackEpochOffset] = pack.Epoch;
        pack.Salt.CopyTo(destination[PackSaltOffset..]);
    }

    /// <summary>Reads it; null where no pack is such.</summary>
    public static PackInfo? TryReadPack(ReadOnlySpan<byte> pack, Func<byte, bool> knowsEpoch)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(pack[PackLengthOffset..]);
        if (length > PackFormat.MaxLength || !SessionId.TryRead(pack[..PackNumberOffset], out SessionId session))
        {
            return null;
        }

        bool isKnown = PackFormat.IsKnown((PackKind)pack[PackKindOffset], pack[PackFlagsOffset]) && knowsEpoch(pack[PackEpochOffset]);
        return new PackInfo(
            session,
            BinaryPrimitives.ReadUInt32LittleEndian(pack[PackNumberOffset..]),
            (PackKind)pack[PackKindOffset],
            (int)length,
            pack[PackSaltOffset..],
            pack[PackEpochOffset])
        {
            IsKnown = isKnown,
            IsAvailable = isKnown,
        };
    }

    internal static void WriteRecord(Span<byte> record, int pack, in PackedChunk chunk)
    {
        chunk.Id.CopyTo(record);
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordPackOffset..], pack);
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordOffsetOffset..], chunk.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordStoredOffset..], chunk.StoredLength);
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordRawOffset..], chunk.RawLength);
        BinaryPrimitives.WriteUInt32LittleEndian(record[RecordOrdinalOffset..], chunk.Ordinal);
        record[RecordKindOffset] = (byte)chunk.Kind;
        record[RecordEncodingOffset] = (byte)chunk.Encoding;
        record[(RecordEncodingOffset + 1)..RecordLength].Clear();
    }

    /// <summary>The number of a record's pack.</summary>
    public static int PackOf(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[RecordPackOffset..]);

    internal static PackedChunk ReadRecord(ReadOnlySpan<byte> record, out int pack)
    {
        pack = PackOf(record);
        return new PackedChunk(
            new ChunkId(record[..ChunkId.Length]),
            (ChunkKind)record[RecordKindOffset],
            (ChunkEncoding)record[RecordEncodingOffset],
            BinaryPrimitives.ReadUInt32LittleEndian(record[RecordOrdinalOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[RecordOffsetOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[RecordStoredOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[RecordRawOffset..]));
    }
}
