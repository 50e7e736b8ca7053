using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A file system whose blocks are read from its journal where the journal has them.</summary>
/// <param name="source">The file system as it lies on the disk.</param>
/// <param name="blockSize">In bytes.</param>
/// <param name="blocks">Blocks of the file system by their numbers.</param>
internal sealed class JournalOverlay(VolumeSource source, int blockSize, IReadOnlyDictionary<long, JournalBlock> blocks) : IDiskContent
{
    /// <inheritdoc/>
    public long Length => source.Length;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await source.ReadAsync(offset, destination, cancellationToken).ConfigureAwait(false);
        long end = offset + destination.Length;
        for (long block = offset / blockSize; block * blockSize < end; block++)
        {
            if (!blocks.TryGetValue(block, out JournalBlock found))
            {
                continue;
            }

            byte[] bytes = await source.ReadAsync(found.Block * blockSize, blockSize, cancellationToken).ConfigureAwait(false);
            if (!found.IsSound(bytes))
            {
                throw source.Corrupt($"the checksum of block {block} in the journal is wrong");
            }

            // What looked like the journal's own had its first bytes removed.
            if (found.IsEscaped)
            {
                BinaryPrimitives.WriteUInt32BigEndian(bytes, Journal.Magic);
            }

            long from = Math.Max(offset, block * blockSize);
            int count = (int)(Math.Min(end, (block + 1) * blockSize) - from);
            bytes.AsMemory((int)(from - (block * blockSize)), count).CopyTo(destination[(int)(from - offset)..]);
        }
    }
}
