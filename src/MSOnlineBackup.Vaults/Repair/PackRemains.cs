using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>What is left of a pack: which chunks open in these bytes, by what the index says of them, or by the table that the bytes themselves have.</summary>
/// <param name="store">The store.</param>
/// <param name="name">The pack's name.</param>
/// <param name="content">Its bytes, or as many of them as there are.</param>
internal sealed class PackRemains(ChunkStore store, string name, ReadOnlyMemory<byte> content)
{
    /// <summary>Reads what is there; nothing where the pack is missing.</summary>
    /// <exception cref="BackupException">VaultDataUnreadable, VaultUnreachable, …</exception>
    public static async Task<PackRemains> ReadAsync(ChunkStore store, string name, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is { } found)
            {
                byte[] content = new byte[Math.Min(found.Length, PackFormat.MaxLength)];
                int read = await store.Objects.ReadAsync(name, 0, content, cancellationToken).ConfigureAwait(false);
                return new PackRemains(store, name, content.AsMemory(0, read));
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // Somebody deleted it in between.
        }

        return new PackRemains(store, name, ReadOnlyMemory<byte>.Empty);
    }

    /// <summary>Opens chunks by what the index, or the pack's own table, says of them.</summary>
    /// <param name="kind">The pack's kind.</param>
    /// <param name="salt">Its salt.</param>
    /// <param name="epoch">Which of the store's master keys has sealed it; it must be known.</param>
    /// <param name="chunks">Its chunks.</param>
    /// <returns>Those that open and are what they are named after, with their encoded bytes.</returns>
    public IEnumerable<(PackedChunk Chunk, byte[] Encoded)> Open(PackKind kind, byte[] salt, byte epoch, IEnumerable<PackedChunk> chunks)
    {
        using AesGcm aes = PackReader.OpenPack(store.Keys, salt, epoch);
        byte[] plaintext = GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxRawLength);
        foreach (PackedChunk chunk in chunks)
        {
            if (TryOpen(aes, kind, chunk, plaintext, out byte[] encoded))
            {
                yield return (chunk, encoded);
            }
        }
    }

    /// <summary>The kind, the salt, the epoch and the chunks that these bytes name themselves: also where they stand under another pack's name. Null where their table does not open.</summary>
    public (PackKind Kind, byte[] Salt, byte Epoch, IReadOnlyList<PackedChunk> Chunks)? ReadOwnTable()
    {
        try
        {
            if (content.Length < PackFormat.Overhead(0))
            {
                return null;
            }

            ReadOnlySpan<byte> bytes = content.Span;
            PackKind kind = PackReader.ReadHeader(name, bytes, out byte[] salt, out byte epoch);
            int footer = PackReader.ReadFooterLength(name, bytes.Length, bytes[^PackFormat.TrailerLength..]);
            List<PackedChunk> chunks = PackReader.ReadFooter(
                store.Keys, name, bytes.Length, bytes[..PackFormat.HeaderLength], bytes.Slice(bytes.Length - PackFormat.TrailerLength - footer, footer));
            return (kind, salt, epoch, chunks);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return null;
        }
    }

    private bool TryOpen(AesGcm aes, PackKind kind, in PackedChunk chunk, byte[] plaintext, out byte[] encoded)
    {
        encoded = [];
        if ((long)chunk.Offset + chunk.StoredLength > content.Length)
        {
            return false;
        }

        encoded = new byte[chunk.StoredLength - PackFormat.TagLength];
        Span<byte> raw = plaintext.AsSpan(0, chunk.RawLength);
        return PackReader.TryUnseal(store.Keys, aes, kind, chunk, content.Span.Slice(chunk.Offset, chunk.StoredLength), encoded)
            && ChunkCodec.TryDecode(chunk.Encoding, encoded, raw)
            && store.Identity.Compute(chunk.Kind, raw) == chunk.Id;
    }
}
