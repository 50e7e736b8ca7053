using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>Reads shards of an object, and tells which are as they were. Memory: up to 4 MiB, or one shard.</summary>
/// <param name="objects">The vault.</param>
internal sealed class ShardReader(IVaultStore objects)
{
    private const int MostBytes = 4 << 20;

    /// <summary>Reads the wanted shards, in their order.</summary>
    /// <param name="name">The object.</param>
    /// <param name="start">Where its first shard begins, in bytes.</param>
    /// <param name="length">The length of all its shards, in bytes; the last one may be shorter than the others.</param>
    /// <param name="shardLength">The length of one.</param>
    /// <param name="sums">The checksums of all of them.</param>
    /// <param name="isWanted">Which are wanted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Each wanted shard; null where it is damaged, or cannot be read while the vault can. Its bytes are good until the next is asked for.</returns>
    public async IAsyncEnumerable<(int Shard, ReadOnlyMemory<byte>? Content)> ReadAsync(
        string name, long start, int length, int shardLength, byte[] sums, Func<int, bool> isWanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int count = (length + shardLength - 1) / shardLength;
        int most = Math.Max(1, MostBytes / shardLength);
        byte[] buffer = new byte[Math.Min(most, count) * shardLength];
        for (int shard = 0; shard < count;)
        {
            int end = shard;
            while (end < count && end - shard < most && isWanted(end))
            {
                end++;
            }

            if (end == shard)
            {
                shard++;
                continue;
            }

            int offset = shard * shardLength;
            Memory<byte> run = buffer.AsMemory(0, Math.Min(end * shardLength, length) - offset);
            bool isRead = await TryReadAsync(name, start + offset, run, cancellationToken).ConfigureAwait(false);
            for (; shard < end; shard++)
            {
                int at = (shard * shardLength) - offset;
                Memory<byte> one = run.Slice(at, Math.Min(shardLength, run.Length - at));

                // Of a run that cannot be read as a whole, parts can.
                bool isThere = isRead || await TryReadAsync(name, start + offset + at, one, cancellationToken).ConfigureAwait(false);
                yield return (shard, isThere && ShardSums.Fits(one.Span, sums, shard) ? (ReadOnlyMemory<byte>?)one : null);
            }
        }
    }

    private async ValueTask<bool> TryReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await objects.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false) == destination.Length;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return false;
        }
    }
}
