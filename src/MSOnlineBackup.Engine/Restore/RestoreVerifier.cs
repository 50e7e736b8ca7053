using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// Reads restored files again, under the names they got, and compares every byte with the recovery point: of a whole chunk the keyed name is computed
/// from what the file has; a part of one is compared by a digest, taken of bytes whose chunk's name was computed; a hole with zeros.
/// </summary>
internal sealed class RestoreVerifier(ChunkStore store, IRestoreTarget target, RestoreTally tally) : IRestoreVerifier
{
    private const int BufferLength = ChunkCodec.MaxRawLength;

    private readonly EntryContentReader _contents = new(store);

    /// <inheritdoc/>
    public async ValueTask VerifyAsync(RestoreItem item, IReadOnlyDictionary<long, byte[]> digests, CancellationToken cancellationToken)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Clamp(item.Entry.Size, 1, BufferLength));
        try
        {
            using Stream file = target.OpenRead(item.Entry.Path);
            long offset = 0;
            await foreach (ContentSlice slice in _contents.ReadAsync(item.Entry.Content, cancellationToken).ConfigureAwait(false))
            {
                bool same = slice.Chunk is { } chunk
                    ? IsSame(file, buffer, slice, chunk, digests.GetValueOrDefault(offset))
                    : IsHole(file, buffer, slice.Length, cancellationToken);
                if (!same)
                {
                    throw Differs(item, $"from byte {offset} onward");
                }

                offset += slice.Length;
            }

            if (!IsAtEnd(file))
            {
                throw Differs(item, "it is longer");
            }

            tally.CountVerified();
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            tally.Report(item, fault);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool IsSame(Stream file, byte[] buffer, ContentSlice slice, ChunkId chunk, byte[]? digest)
    {
        Span<byte> bytes = buffer.AsSpan(0, (int)slice.Length);
        if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            return false;
        }

        return digest is null
            ? store.Identity.Compute(ChunkKind.Content, bytes) == chunk
            : SHA256.HashData(bytes).AsSpan().SequenceEqual(digest);
    }

    private static bool IsHole(Stream file, byte[] buffer, long length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = file.Read(buffer, 0, (int)Math.Min(length, buffer.Length));
            if (read == 0 || buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            length -= read;
        }

        return true;
    }

    private static bool IsAtEnd(Stream file) => file.ReadByte() < 0;

    /// <summary>A restored file is not what it should be.</summary>
    public static BackupException Differs(RestoreItem item, string how) => new(
        BackupErrorId.RestoreVerifyFailed,
        $"The restored file '{PathText.Show(item.Entry.Path)}' differs from the recovery point: {how}.",
        "Check the disk that holds the target, then restore the file again.",
        target: item.FullPath);
}
