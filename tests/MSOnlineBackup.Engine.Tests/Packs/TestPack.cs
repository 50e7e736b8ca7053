using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Engine.Tests.Packs;

/// <summary>A pack made for a test, and the plaintext of what it holds.</summary>
internal sealed record TestPack(byte[] Content, IReadOnlyList<PackedChunk> Chunks, IReadOnlyList<byte[]> Plaintexts)
{
    public const string Name = "stores/s/packs/00/p";

    public static TestPack Make(int seed, IEnumerable<int> lengths, PackKind kind = PackKind.Data)
    {
        using var builder = new PackBuilder(TestKeys.Keys, kind, new byte[4 << 20]);
        var plaintexts = new List<byte[]>();
        var identity = new ChunkIdentity(TestKeys.Keys);
        ChunkKind chunkKind = kind == PackKind.Data ? ChunkKind.Content : ChunkKind.ManifestLeaf;
        foreach (int length in lengths)
        {
            byte[] plaintext = TestKeys.Bytes(seed + plaintexts.Count, length);
            if (plaintexts.Count % 2 == 1)
            {
                // Every other one can be compressed.
                plaintext.AsSpan(plaintext.Length / 4).Clear();
            }

            plaintexts.Add(plaintext);
            byte[] encoded = new byte[ZstandardCodec.RoomFor(length)];
            int written = ChunkCodec.Encode(plaintext, encoded, out ChunkEncoding encoding);
            builder.Append(identity.Compute(chunkKind, plaintext), chunkKind, encoding, length, encoded.AsSpan(0, written));
        }

        return new TestPack(builder.Finish(isFull: false).ToArray(), [.. builder.Chunks], plaintexts);
    }

    /// <summary>The chunks that the footer lists.</summary>
    public static List<PackedChunk> ReadFooter(byte[] pack)
    {
        int length = PackReader.ReadFooterLength(Name, pack.Length, pack.AsSpan(Math.Max(0, pack.Length - PackFormat.TrailerLength)));
        return PackReader.ReadFooter(
            TestKeys.Keys,
            Name,
            pack.Length,
            pack.AsSpan(0, PackFormat.HeaderLength),
            pack.AsSpan(pack.Length - PackFormat.TrailerLength - length, length));
    }

    /// <summary>The plaintext of a chunk; null where it does not open.</summary>
    public static byte[]? Open(byte[] pack, PackedChunk chunk)
    {
        PackKind kind = PackReader.ReadHeader(Name, pack, out byte[] salt, out byte epoch);
        if (!TestKeys.Keys.Knows(epoch))
        {
            return null;
        }

        using AesGcm aes = PackReader.OpenPack(TestKeys.Keys, salt, epoch);
        byte[] plaintext = new byte[chunk.RawLength];
        return PackReader.TryOpenChunk(
            TestKeys.Keys, aes, kind, chunk, pack.AsSpan(chunk.Offset, chunk.StoredLength), new byte[chunk.StoredLength], plaintext)
            ? plaintext
            : null;
    }

    /// <summary>A pack with the right seals and a footer that says what it likes: what a writer with the key could make.</summary>
    public static byte[] Forge(byte[] footer, int bodyLength = 0)
    {
        byte[] pack = new byte[PackFormat.HeaderLength + bodyLength + footer.Length + PackFormat.TagLength + PackFormat.TrailerLength];
        byte[] salt = TestKeys.Bytes(5, PackFormat.SaltLength);
        PackFormat.WriteHeader(pack, PackKind.Data, salt, 0);
        byte[] nonce = new byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, PackFormat.FooterOrdinal);
        int at = PackFormat.HeaderLength + bodyLength;
        using (AesGcm aes = PackReader.OpenPack(TestKeys.Keys, salt, 0))
        {
            aes.Encrypt(
                nonce,
                footer,
                pack.AsSpan(at, footer.Length),
                pack.AsSpan(at + footer.Length, PackFormat.TagLength),
                PackReader.FooterAssociatedData(TestKeys.Keys, pack.AsSpan(0, PackFormat.HeaderLength)));
        }

        BinaryPrimitives.WriteInt32LittleEndian(pack.AsSpan(at + footer.Length + PackFormat.TagLength), footer.Length + PackFormat.TagLength);
        return WithChecksum(pack);
    }

    /// <summary>Writes the right checksum to the end of a pack, as whoever alters it can: it needs no key.</summary>
    public static byte[] WithChecksum(byte[] pack)
    {
        ObjectChecksum.WriteTo(pack);
        return pack;
    }
}
