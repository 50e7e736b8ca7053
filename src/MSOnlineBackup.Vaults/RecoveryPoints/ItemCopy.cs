using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Gives a file's bytes out in order, while the next ones are fetched and opened on other cores. Memory: a few parts, and their chunks.</summary>
/// <param name="chunks">Where its chunks are.</param>
/// <param name="entry">The file.</param>
internal sealed class ItemCopy(IChunkReader chunks, ManifestEntry entry)
{
    // Some chunks: of those that two parts share each opens its own.
    private const int PartLength = 8 << 20;
    private const int MostAhead = 4;

    /// <summary>The bytes from an offset on, as many as there are of a length, in pieces of any length.</summary>
    /// <exception cref="Errors.BackupException">VaultDataCorrupt, VaultDataMissing and the like, when what is before it was given out.</exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(long offset, long length, CancellationToken cancellationToken)
    {
        long end = offset >= entry.Size ? offset : offset + Math.Min(length, entry.Size - offset);
        return ReadAhead.SelectAsync(PartsOf(offset, end), MostAhead, (part, token) => Task.Run(() => ReadPartAsync(part.At, part.Length, token), token), cancellationToken);
    }

    private static IEnumerable<(long At, int Length)> PartsOf(long from, long to)
    {
        for (long at = from; at < to; at += PartLength)
        {
            yield return (at, (int)Math.Min(PartLength, to - at));
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadPartAsync(long at, int length, CancellationToken cancellationToken)
    {
        byte[] part = new byte[length];
        var stream = new ItemStream(chunks, entry) { Position = at };
        await using (stream.ConfigureAwait(false))
        {
            await stream.ReadExactlyAsync(part, cancellationToken).ConfigureAwait(false);
        }

        return part;
    }
}
