using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Inodes that were made, all of them free (version 5).</summary>
internal readonly record struct InodeChunkItem(uint Group, uint Block, uint Count, uint Length, uint Generation)
{
    private const int FormatLength = 28;
    private const int MostInodes = 64;
    private const int ChecksumAt = 100;

    /// <summary>Reads one.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public static InodeChunkItem Decode(ReadOnlySpan<byte> format, XfsSuperblock superblock)
    {
        if (format.Length != FormatLength || superblock.Version != 5)
        {
            throw XfsFault.Corrupt("inodes in its log have another length");
        }

        var item = new InodeChunkItem(
            BinaryPrimitives.ReadUInt32BigEndian(format[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(format[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(format[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(format[20..]),
            BinaryPrimitives.ReadUInt32BigEndian(format[24..]));

        // Blocks of 64 KiB may hold more inodes than a chunk has.
        int perBlock = superblock.BlockSize / superblock.InodeSize;
        return BinaryPrimitives.ReadUInt32BigEndian(format[16..]) == superblock.InodeSize
            && item.Count >= 1 && item.Count <= Math.Max(MostInodes, perBlock) && item.Count == (ulong)item.Length * (uint)perBlock
            && item.Group < long.MaxValue / superblock.BlockSize / superblock.GroupBlocks
            && item.Block < superblock.GroupBlocks && item.Length <= superblock.GroupBlocks - item.Block
            ? item
            : throw XfsFault.Corrupt("inodes in its log lie where none can be");
    }

    /// <summary>Where they are, in bytes. The file system may have grown: what lies outside is told by who writes there.</summary>
    public long Offset(XfsSuperblock superblock) => (((long)Group * superblock.GroupBlocks) + Block) * superblock.BlockSize;

    /// <summary>Brings them into place.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public async ValueTask ApplyAsync(LogOverlay overlay, XfsSuperblock superblock, CancellationToken cancellationToken)
    {
        ulong first = (((ulong)Group << superblock.GroupBits) | Block) << superblock.InodeBits;
        byte[] bytes = new byte[superblock.InodeSize];
        for (uint i = 0; i < Count; i++)
        {
            Array.Clear(bytes);
            "IN"u8.CopyTo(bytes);
            bytes[4] = 3;
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(92), Generation);
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(96), uint.MaxValue);
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(152), unchecked(first + i));
            superblock.MetaId.TryWriteBytes(bytes.AsSpan(160), bigEndian: true, out _);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), XfsChecksum.Of(bytes, ChecksumAt));
            await overlay.KeepAsync(Offset(superblock) + (i * superblock.InodeSize), bytes, cancellationToken).ConfigureAwait(false);
        }
    }
}
