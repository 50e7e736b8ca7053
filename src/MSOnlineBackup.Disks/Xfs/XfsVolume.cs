using System.Runtime.CompilerServices;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Disks.Xfs.Log;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>An XFS file system. What its log has that is not in its place is read as if it were.</summary>
internal sealed class XfsVolume : IFileVolume
{
    private const int KeptOpen = 16;

    private readonly XfsDisk _disk;
    private readonly RecentlyOpened<XfsContent> _open = new(KeptOpen);

    private XfsVolume(XfsDisk disk, VolumeItem root, (string? Text, bool WasInUse) note) => (_disk, Root, Note, WasInUse) = (disk, root, note.Text, note.WasInUse);

    /// <inheritdoc/>
    public string Kind => "xfs";

    /// <inheritdoc/>
    public string? Label => _disk.Superblock.Label is { Length: > 0 } label ? label : null;

    /// <inheritdoc/>
    public string? Id => _disk.Superblock.Id.ToString();

    /// <inheritdoc/>
    public string? Note { get; }

    /// <inheritdoc/>
    public bool WasInUse { get; }

    /// <inheritdoc/>
    public VolumeItem Root { get; }

    /// <summary>Looks for one.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Math.Min(XfsSuperblock.MaxLength, content.Length)];
        await content.ReadAsync(0, bytes, cancellationToken).ConfigureAwait(false);
        return XfsSuperblock.IsOne(bytes)
            ? await PartContent.OpenAsync("xfs", PlacedVolume.OpenAsync(OpenAsync(content, bytes, cancellationToken), place)).ConfigureAwait(false)
            : null;
    }

    /// <inheritdoc/>
    public async ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        XfsEntry? similar = null;
        await foreach (XfsEntry entry in (await OpenFolderAsync(folder, cancellationToken).ConfigureAwait(false)).ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (entry.IsDots || entry.IsBad)
            {
                continue;
            }

            if (entry.Name.Span.SequenceEqual(name.Span))
            {
                similar = entry;
                break;
            }

            if (_disk.Superblock.IgnoresCase && Ascii.EqualsIgnoreCase(entry.Name.Span, name.Span))
            {
                similar ??= entry;
            }
        }

        return similar is XfsEntry found
            ? await DescribeAsync(found, folder, cancellationToken).ConfigureAwait(false) ?? throw XfsFault.Corrupt($"the folder {found.Inode} is in two folders")
            : null;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<VolumeItem> ListAsync(VolumeItem folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        XfsFolder opened = await OpenFolderAsync(folder, cancellationToken).ConfigureAwait(false);
        bool isDamaged = false;
        await foreach (XfsEntry entry in opened.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (entry.IsDots)
            {
                continue;
            }

            VolumeItem? item = entry.IsBad ? null : await DescribeAsync(entry, folder, cancellationToken).ConfigureAwait(false);
            if (item is not null)
            {
                yield return item;
            }

            isDamaged |= item is null;
        }

        if (isDamaged)
        {
            throw XfsFault.Corrupt($"the folder {folder.Id} has names that no file can have, or folders that are in another folder");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        XfsContent content = await _open.GetAsync(item.Id, () => OpenContentAsync(item, cancellationToken)).ConfigureAwait(false);
        return await content.ReadAsync(offset, destination, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<XfsVolume> OpenAsync(IDiskContent content, byte[] superblock, CancellationToken cancellationToken)
    {
        var disk = new XfsDisk(content, XfsSuperblock.Decode(superblock));
        (string? Text, bool WasInUse) note;
        (note, disk) = await RecoverAsync(content, disk, cancellationToken).ConfigureAwait(false);
        XfsInode root = await ReadInodeAsync(disk, disk.Superblock.Root, cancellationToken).ConfigureAwait(false);
        return root.Kind == EntryKind.Directory
            ? new XfsVolume(disk, Describe(root, ReadOnlyMemory<byte>.Empty), note)
            : throw XfsFault.Corrupt("its root is no folder");
    }

    // A log that cannot be read hinders nothing: what is in its place is read, and whoever reads is told.
    private static async ValueTask<((string? Text, bool WasInUse) Note, XfsDisk Disk)> RecoverAsync(IDiskContent content, XfsDisk disk, CancellationToken cancellationToken)
    {
        if (disk.Superblock.NeedsRepair)
        {
            return (("The file system says that it must be repaired: what its repair had begun to change may be missing.", false), disk);
        }

        if (disk.Superblock.Log == 0)
        {
            return (("The log of the file system is on another disk: whether the file system was in use when its bytes were taken is not known.", true), disk);
        }

        try
        {
            if (await LogReplay.ReadAsync(content, disk, cancellationToken).ConfigureAwait(false) is not (LogOverlay recovered, bool isUnfinished))
            {
                return (default, disk);
            }

            // The file system may have grown.
            byte[] superblock = new byte[Math.Min(XfsSuperblock.MaxLength, recovered.Length)];
            await recovered.ReadAsync(0, superblock, cancellationToken).ConfigureAwait(false);
            disk = new XfsDisk(recovered, XfsSuperblock.Decode(superblock));
            return (isUnfinished ? ("The file system was in use when its bytes were taken: of some files a change of where their content lies was begun and not finished, and a part of them may be missing or old.", true) : default, disk);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported)
        {
            return (($"The file system was in use when its bytes were taken, and its log cannot be read: files may be missing, incomplete or old. {e.Message}", true), disk);
        }
    }

    private static async ValueTask<XfsInode> ReadInodeAsync(XfsDisk disk, ulong number, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[disk.Superblock.InodeSize];
        await disk.ReadAsync(disk.Superblock.OffsetOfInode(number), bytes, cancellationToken).ConfigureAwait(false);
        return XfsInode.Decode(bytes, number, disk.HasChecksums);
    }

    private static VolumeItem Describe(XfsInode inode, ReadOnlyMemory<byte> name) =>
        new(inode.Number, name, inode.Kind, inode.Kind is EntryKind.File or EntryKind.SymbolicLink ? inode.Length : 0, inode.Modified)
        {
            Permissions = inode.Permissions,
            UserId = inode.UserId,
            GroupId = inode.GroupId,
            LinkCount = inode.LinkCount,
        };

    // What its folder knows of it stands for one whose inode is damaged. Null: a folder that is in another folder.
    private async ValueTask<VolumeItem?> DescribeAsync(XfsEntry entry, VolumeItem folder, CancellationToken cancellationToken)
    {
        XfsInode inode;
        try
        {
            inode = await ReadInodeAsync(_disk, entry.Inode, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            return new VolumeItem(entry.Inode, entry.Name, entry.Kind ?? EntryKind.File, 0, default);
        }

        ulong? parent = inode.Kind == EntryKind.Directory ? await new XfsFolder(_disk, inode).ParentAsync(cancellationToken).ConfigureAwait(false) : null;
        return parent is null || parent == folder.Id ? Describe(inode, entry.Name) : null;
    }

    private async ValueTask<XfsFolder> OpenFolderAsync(VolumeItem folder, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(folder.Kind, EntryKind.Directory);
        XfsInode inode = await ReadInodeAsync(_disk, folder.Id, cancellationToken).ConfigureAwait(false);
        return inode.Kind == EntryKind.Directory ? new XfsFolder(_disk, inode) : throw XfsFault.Corrupt($"inode {inode.Number} is no folder");
    }

    private async ValueTask<XfsContent> OpenContentAsync(VolumeItem item, CancellationToken cancellationToken)
    {
        XfsInode inode = await ReadInodeAsync(_disk, item.Id, cancellationToken).ConfigureAwait(false);
        return item.Kind switch
        {
            EntryKind.File or EntryKind.SymbolicLink when inode.Kind != item.Kind => throw XfsFault.Corrupt($"inode {inode.Number} is not what its folder says"),
            EntryKind.SymbolicLink => new XfsContent(await XfsLink.ReadAsync(_disk, inode, cancellationToken).ConfigureAwait(false)),
            EntryKind.File when inode.IsRealtime => throw XfsFault.Unsupported("the content of a file is on the realtime device"),
            EntryKind.File => new XfsContent(_disk, inode),
            _ => throw new ArgumentOutOfRangeException(nameof(item), item.Kind, null),
        };
    }
}
