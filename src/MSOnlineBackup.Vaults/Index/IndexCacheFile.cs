using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// The file of a cached index, little-endian: <c>header 4096 | records × 56 | packs × 64 | segments | a tag for each MiB from the header on</c>. The header is
/// <c>magic 8 | version u32 | 4 zero bytes | store 16 | salt 32 | records u64 | packs u64 | bytes of segments u64 | tag</c>; a segment is
/// <c>name length u16 | packs u32 | length u64 | name | pack numbers × u32</c>; records and packs are as in an index segment.
/// </summary>
/// <remarks>
/// Tags are GMACs under a key that is derived from the store's key and the salt. So what opens was written by somebody who has that key, for this store, and no
/// bit of it has changed.
/// </remarks>
internal static class IndexCacheFile
{
    private const uint Version = 1;
    private const int StoreOffset = 16;
    private const int SaltOffset = StoreOffset + 16;
    private const int SaltLength = 32;
    private const int RecordsOffset = SaltOffset + SaltLength;
    private const int PacksOffset = RecordsOffset + sizeof(long);
    private const int SegmentsOffset = PacksOffset + sizeof(long);
    private const int TagOffset = SegmentsOffset + sizeof(long);
    private const int SegmentHeaderLength = sizeof(ushort) + sizeof(uint) + sizeof(long);

    private static ReadOnlySpan<byte> Magic => "OBINDEX\u0001"u8;

    /// <summary>Writes a file.</summary>
    /// <param name="file">An empty file.</param>
    /// <param name="keys">The store's keys.</param>
    /// <param name="records">The records.</param>
    /// <param name="numbers">For the pack number of each record, the one that it gets; -1 where the record is left out.</param>
    /// <param name="packs">The packs by their new numbers.</param>
    /// <param name="segments">The segments, with new numbers.</param>
    /// <exception cref="IOException">The disk is full, or worse.</exception>
    public static FileRun Write(
        SafeFileHandle file, StoreKeys keys, IndexRecords records, int[] numbers, IReadOnlyList<PackInfo> packs, IEnumerable<CachedSegment> segments)
    {
        byte[] header = new byte[AuthenticatedFile.HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(Magic.Length), Version);
        keys.StoreId.ToBytes().CopyTo(header.AsSpan(StoreOffset));
        RandomNumberGenerator.Fill(header.AsSpan(SaltOffset, SaltLength));
        using var body = new AuthenticatedFile.Writer(file, keys.IndexCacheKey(header.AsSpan(SaltOffset, SaltLength)));
        int count = WriteRecords(body, records, numbers);
        Span<byte> entry = stackalloc byte[IndexSegment.PackLength];
        foreach (PackInfo pack in packs)
        {
            IndexSegment.WritePack(entry, pack);
            body.Write(entry);
        }

        long segmentsLength = 0;
        foreach (CachedSegment segment in segments)
        {
            byte[] encoded = Encode(segment);
            body.Write(encoded);
            segmentsLength += encoded.Length;
        }

        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(RecordsOffset), count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(PacksOffset), packs.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(SegmentsOffset), segmentsLength);
        body.Finish(header, TagOffset);
        return new FileRun(file, AuthenticatedFile.HeaderLength, count);
    }

    /// <summary>Reads a file. Null where it is not whole, is another store's or version's, or was not written with this store's key.</summary>
    /// <exception cref="IOException">The disk does not give it.</exception>
    public static CachedIndex? TryRead(SafeFileHandle file, StoreKeys keys)
    {
        byte[] header = new byte[AuthenticatedFile.HeaderLength];
        long length = RandomAccess.GetLength(file);
        if (length < header.Length)
        {
            return null;
        }

        AuthenticatedFile.ReadExactly(file, 0, header);
        long records = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(RecordsOffset));
        long packs = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(PacksOffset));
        long segments = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(SegmentsOffset));
        if (!header.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(Magic.Length)) != Version
            || !header.AsSpan(StoreOffset, SaltOffset - StoreOffset).SequenceEqual(keys.StoreId.ToBytes())
            || records is < 0 or > int.MaxValue
            || packs is < 0 or > int.MaxValue
            || segments is < 0 or > int.MaxValue)
        {
            return null;
        }

        long packsAt = header.Length + (records * IndexSegment.RecordLength);
        long segmentsAt = packsAt + (packs * IndexSegment.PackLength);
        byte[] key = keys.IndexCacheKey(header.AsSpan(SaltOffset, SaltLength));
        return AuthenticatedFile.IsWhole(file, key, header, TagOffset, segmentsAt + segments)
            ? new CachedIndex(
                new FileRun(file, header.Length, (int)records), ReadPacks(file, packsAt, (int)packs), ReadSegments(file, segmentsAt, (int)segments))
            : null;
    }

    // Two segments may name one pack: then its records are written once.
    private static int WriteRecords(AuthenticatedFile.Writer body, IndexRecords records, int[] numbers)
    {
        int count = 0;
        ChunkId last = default;
        var places = new List<(int Pack, int Offset)>();
        Span<byte> record = stackalloc byte[IndexSegment.RecordLength];
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            PackedChunk chunk = IndexSegment.ReadRecord(pass.Record, out int before);
            int pack = numbers[before];
            if (chunk.Id != last)
            {
                last = chunk.Id;
                places.Clear();
            }

            if (pack >= 0 && !places.Contains((pack, chunk.Offset)))
            {
                IndexSegment.WriteRecord(record, pack, chunk);
                body.Write(record);
                places.Add((pack, chunk.Offset));
                count++;
            }
        }

        return count;
    }

    private static byte[] Encode(CachedSegment segment)
    {
        byte[] name = Encoding.UTF8.GetBytes(segment.Name);
        byte[] encoded = new byte[SegmentHeaderLength + name.Length + (segment.Packs.Length * sizeof(int))];
        Span<byte> rest = encoded;
        BinaryPrimitives.WriteUInt16LittleEndian(rest, checked((ushort)name.Length));
        BinaryPrimitives.WriteInt32LittleEndian(rest[sizeof(ushort)..], segment.Packs.Length);
        BinaryPrimitives.WriteInt64LittleEndian(rest[(sizeof(ushort) + sizeof(uint))..], segment.Length);
        rest = rest[SegmentHeaderLength..];
        name.CopyTo(rest);
        rest = rest[name.Length..];
        foreach (int pack in segment.Packs)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, pack);
            rest = rest[sizeof(int)..];
        }

        return encoded;
    }

    // What is read from here on was written by this code.
    private static PackInfo[] ReadPacks(SafeFileHandle file, long offset, int count)
    {
        var packs = new PackInfo[count];
        byte[] held = new byte[Math.Min(count, 1024) * IndexSegment.PackLength];
        for (int i = 0; i < count; i++)
        {
            int at = i % 1024;
            if (at == 0)
            {
                AuthenticatedFile.ReadExactly(
                    file, offset + ((long)i * IndexSegment.PackLength), held.AsSpan(0, Math.Min(1024, count - i) * IndexSegment.PackLength));
            }

            packs[i] = IndexSegment.TryReadPack(held.AsSpan(at * IndexSegment.PackLength, IndexSegment.PackLength), _ => true)!;
        }

        return packs;
    }

    private static List<CachedSegment> ReadSegments(SafeFileHandle file, long offset, int length)
    {
        byte[] content = new byte[length];
        AuthenticatedFile.ReadExactly(file, offset, content);
        var segments = new List<CachedSegment>();
        for (ReadOnlySpan<byte> rest = content; !rest.IsEmpty;)
        {
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            int[] packs = new int[BinaryPrimitives.ReadInt32LittleEndian(rest[sizeof(ushort)..])];
            long sealedLength = BinaryPrimitives.ReadInt64LittleEndian(rest[(sizeof(ushort) + sizeof(uint))..]);
            rest = rest[SegmentHeaderLength..];
            string name = Encoding.UTF8.GetString(rest[..nameLength]);
            rest = rest[nameLength..];
            for (int i = 0; i < packs.Length; i++, rest = rest[sizeof(int)..])
            {
                packs[i] = BinaryPrimitives.ReadInt32LittleEndian(rest);
            }

            segments.Add(new CachedSegment(name, sealedLength, packs));
        }

        return segments;
    }
}
