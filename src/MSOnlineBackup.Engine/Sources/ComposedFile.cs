namespace MSOnlineBackup.Engine.Sources;

/// <summary>A file of a source that whoever asks for the backup has put together: bytes, or a disk.</summary>
public sealed record ComposedFile
{
    /// <summary>A file that is the image of a disk: it is cut on a grid, and what did not change since the last recovery point is not read.</summary>
    /// <param name="path">Its path below the source's root: names joined by '/', for example <c>disks/vda.raw</c>.</param>
    /// <param name="disk">The disk. It stays the caller's, who disposes of it when the backup is over.</param>
    public ComposedFile(string path, ISourceDisk disk)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(disk);
        Path = path;
        Disk = disk;
    }

    /// <summary>A file of some bytes.</summary>
    /// <param name="path">Its path below the source's root: names joined by '/', for example <c>machine.json</c>.</param>
    /// <param name="content">The bytes, which must not be changed afterwards.</param>
    public ComposedFile(string path, ReadOnlyMemory<byte> content)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Path = path;
        Content = content;
    }

    /// <summary>Its path below the source's root.</summary>
    public string Path { get; }

    /// <summary>The disk; null where it is a file of bytes.</summary>
    public ISourceDisk? Disk { get; }

    /// <summary>The bytes; none where it is a disk.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Of a disk: how long the blocks of its grid are, in bytes: <see cref="DiskGrid.BlockBytes"/> or <see cref="DiskGrid.SmallBlockBytes"/>.</summary>
    public int BlockBytes { get; init; } = DiskGrid.BlockBytes;

    /// <summary>
    /// When it was last written to, where that is known for certain: a file of the same length and time in the last recovery point is taken over without being read, and one in a
    /// checkpoint is gone on with. Null (default): nobody knows; then its time is that of the backup, and only <see cref="ISourceDisk.Changes"/> saves reading.
    /// </summary>
    public DateTimeOffset? Modified { get; init; }

    internal long Length => Disk?.Length ?? Content.Length;
}

/// <summary>The grids that disks are cut on (docs/vault-format.md, section 14.6).</summary>
public static class DiskGrid
{
    /// <summary>The usual length of a block: 1 MiB.</summary>
    public const int BlockBytes = 1 << 20;

    /// <summary>The length of a block for disks that are written to in small places: 256 KiB.</summary>
    public const int SmallBlockBytes = 256 << 10;

    /// <summary>The longest disk that can be cut into small blocks: 8 TiB. What a file's slice lists have room for on average is 16 of them, less a little.</summary>
    public const long MostBytesOfSmallBlocks = 8L << 40;

    /// <summary>The longest disk: 32 TiB.</summary>
    public const long MostBytes = 32L << 40;

    /// <summary>The longest disk that can be cut into blocks of this length; 0 where it is no length of blocks.</summary>
    internal static long MostBytesOf(int blockBytes) => blockBytes switch
    {
        BlockBytes => MostBytes,
        SmallBlockBytes => MostBytesOfSmallBlocks,
        _ => 0,
    };
}

/// <summary>The content of an item that is read on a grid.</summary>
/// <param name="Disk">What it is read from. It stays its owner's.</param>
/// <param name="BlockBytes">How long the blocks of the grid are.</param>
public sealed record GriddedContent(ISourceDisk Disk, int BlockBytes);
