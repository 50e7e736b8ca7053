using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>A file system with the sectors that its log has other than they lie on the disk. Thread-safe once nothing is written any more.</summary>
/// <param name="content">The file system as it lies on the disk; it is not changed.</param>
/// <param name="most">How many bytes of sectors are kept at most.</param>
internal sealed class LogOverlay(IDiskContent content, long most) : IDiskContent
{
    private const int Sector = LogPlace.Sector;

    private readonly Dictionary<long, byte[]> _sectors = [];

    /// <inheritdoc/>
    public long Length => content.Length;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await content.ReadAsync(offset, destination, cancellationToken).ConfigureAwait(false);
        long end = offset + destination.Length;
        for (long sector = offset / Sector; sector * Sector < end; sector++)
        {
            if (_sectors.TryGetValue(sector, out byte[]? bytes))
            {
                long from = Math.Max(offset, sector * Sector);
                int count = (int)(Math.Min(end, (sector + 1) * Sector) - from);
                bytes.AsMemory((int)(from - (sector * Sector)), count).CopyTo(destination[(int)(from - offset)..]);
            }
        }
    }

    /// <summary>Reads what may lie outside.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public async ValueTask<byte[]> ReadAsync(long offset, int count, CancellationToken cancellationToken)
    {
        CheckPlace(offset, count);
        byte[] bytes = new byte[count];
        await ReadAsync(offset, bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Keeps bytes instead of those on the disk.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: they lie outside; VolumeUnsupported: there are more than are kept.</exception>
    public async ValueTask KeepAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        CheckPlace(offset, bytes.Length);
        while (!bytes.IsEmpty)
        {
            (long sector, long skip) = Math.DivRem(offset, Sector);
            int count = (int)Math.Min(bytes.Length, Sector - skip);
            if (!_sectors.TryGetValue(sector, out byte[]? kept))
            {
                if ((_sectors.Count + 1L) * Sector > most)
                {
                    throw XfsFault.Unsupported("its log has more than is kept in memory");
                }

                kept = new byte[Sector];
                if (count < Sector)
                {
                    await content.ReadAsync(sector * Sector, kept, cancellationToken).ConfigureAwait(false);
                }

                _sectors.Add(sector, kept);
            }

            bytes[..count].CopyTo(kept.AsMemory((int)skip));
            (offset, bytes) = (offset + count, bytes[count..]);
        }
    }

    private void CheckPlace(long offset, int count)
    {
        if (offset < 0 || offset > (Length / Sector * Sector) - count)
        {
            throw XfsFault.Corrupt("its log tells of what lies outside");
        }
    }
}
