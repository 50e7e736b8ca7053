using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>An item of a file system on a disk, to be restored from there.</summary>
/// <param name="volume">The file system.</param>
/// <param name="item">The item.</param>
/// <param name="path">Where it is, below what is restored.</param>
/// <param name="shown">Its full path for people.</param>
/// <param name="failure">Why its folder could not be listed to the end; null where it could.</param>
internal sealed class VolumeSourceItem(IFileVolume volume, VolumeItem item, EntryPath path, string shown, BackupException? failure = null) : SourceItem
{
    // All names of a file of one volume have its number; there is one volume in a restore.
    private const ulong Device = 1;

    /// <inheritdoc/>
    public override ManifestEntry Entry { get; } = new()
    {
        Path = path,
        Kind = item.Kind,
        Size = item.Kind == EntryKind.File ? item.Length : 0,
        Metadata = new EntryMetadata
        {
            Mode = item.Permissions ?? (item.Kind == EntryKind.Directory ? 0x1edu : 0x1a4u),
            UserId = item.UserId,
            GroupId = item.GroupId,
            Modified = item.Modified,
            Changed = item.Modified,
            FileId = item.Id,
            DeviceId = item.LinkCount > 1 ? Device : 0,
            LinkCount = item.Kind == EntryKind.Directory ? 1 : item.LinkCount,
        },
    };

    /// <inheritdoc/>
    public override BackupException? Failure => failure;

    /// <inheritdoc/>
    public override ManifestEntry ReadDetails()
    {
        if (item.Kind != EntryKind.SymbolicLink)
        {
            return Entry;
        }

        byte[] target = new byte[Math.Min(item.Length, EntryPath.MaxLength)];
        int length = Read(0, target);
        return Entry with { LinkTarget = target.AsMemory(0, length) };
    }

    /// <inheritdoc/>
    public override ISourceFile Open() => new Content(this);

    private int Read(long offset, Memory<byte> destination)
    {
        try
        {
#pragma warning disable VSTHRD002 // Restores read files as file systems give them, which is one after the other.
            return volume.ReadAsync(item, offset, destination, CancellationToken.None).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        }
        catch (BackupException e) when (e.IsOfDisk)
        {
            throw new BackupException(
                BackupErrorId.SourceItemUnreadable, $"'{shown}' cannot be read from the disk: {e.Message}", e.RecommendedAction, shown, innerException: e);
        }
    }

    private sealed class Content(VolumeSourceItem item) : ISourceFile
    {
        private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(1 << 18);

        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            (start, length) = (offset, item.Entry.Size - offset);
            return length > 0;
        }

        public int Read(long offset, Span<byte> destination)
        {
            int read = item.Read(offset, _buffer.AsMemory(0, Math.Min(destination.Length, _buffer.Length)));
            _buffer.AsSpan(0, read).CopyTo(destination);
            return read;
        }

        public ManifestEntry Stat() => item.Entry;

        public void Dispose()
        {
        }
    }
}
