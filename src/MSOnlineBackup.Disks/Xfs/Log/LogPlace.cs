using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Where the log lies: a ring of sectors of 512 bytes.</summary>
internal sealed class LogPlace
{
    public const int Sector = 512;

    /// <summary>What the header of a record begins with.</summary>
    public const uint Magic = 0xFEED_BABE;

    private const long Longest = 2L << 30;

    private readonly XfsDisk _disk;
    private readonly long _start;

    /// <summary>That of a file system whose log is on the same disk.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: it lies outside, or is longer than any log.</exception>
    public LogPlace(XfsDisk disk)
    {
        _disk = disk;
        _start = disk.Superblock.OffsetOf(disk.Superblock.Log, disk.Superblock.LogBlocks);
        Sectors = (long)disk.Superblock.LogBlocks * disk.Superblock.BlockSize / Sector;
        if (Sectors * Sector > Longest)
        {
            throw XfsFault.Corrupt($"its log has {disk.Superblock.LogBlocks} blocks");
        }
    }

    /// <summary>How many sectors it has: to 4 Mi.</summary>
    public long Sectors { get; }

    /// <summary>Reads whole sectors from one on; behind the last is the first.</summary>
    /// <param name="sector">From 0; may be negative by less than all of them, or too great by as much.</param>
    /// <param name="destination">Not longer than the log.</param>
    public async ValueTask ReadAsync(long sector, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (destination.Length > Sectors * Sector)
        {
            throw XfsFault.Corrupt("a record of its log is longer than the log");
        }

        sector = (sector + Sectors) % Sectors;
        int first = (int)Math.Min(destination.Length, (Sectors - sector) * Sector);
        await _disk.ReadAsync(_start + (sector * Sector), destination[..first], cancellationToken).ConfigureAwait(false);
        if (first < destination.Length)
        {
            await _disk.ReadAsync(_start, destination[first..], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How often the log had gone round when a sector was written.</summary>
    public async ValueTask<uint> CycleAsync(long sector, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[8];
        await _disk.ReadAsync(_start + (sector * Sector), bytes, cancellationToken).ConfigureAwait(false);
        return CycleOf(bytes);
    }

    /// <summary>The same of a sector that was read. Every sector begins with it, but for headers of records, which have it second.</summary>
    public static uint CycleOf(ReadOnlySpan<byte> sector)
    {
        uint word = BinaryPrimitives.ReadUInt32BigEndian(sector);
        return word == Magic ? BinaryPrimitives.ReadUInt32BigEndian(sector[4..]) : word;
    }
}
