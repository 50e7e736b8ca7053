using System.Text;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>
/// A view in which disks can be looked into: beside a disk <c>vda.raw</c> there is a folder <c>vda.raw.parts</c>, in it a folder for each of its parts, and in that what the file system
/// there holds. Nothing of the disk is restored for it. Thread-safe.
/// </summary>
/// <param name="inner">The view that has the disks. It is disposed of with this one.</param>
/// <param name="isDisk">Which of its files are disks.</param>
/// <param name="options">The vault's.</param>
public sealed class DiskView(IItemView inner, Func<ViewItem, bool> isDisk, VaultOptions options) : IItemView
{
    /// <summary>What the folder of a disk has behind the disk's name.</summary>
    public const string Suffix = ".parts";

    private static readonly byte[] _suffix = Encoding.ASCII.GetBytes(Suffix);

    private readonly DiskNodes _nodes = new();
    private readonly DiskListings _listings = new();
    private readonly OpenDisks _disks = new(inner, options);

    /// <inheritdoc/>
    public ViewItem Root => inner.Root;

    /// <inheritdoc/>
    public async ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken) =>
        DiskNodes.IsOfDisk(id) ? ItemOf(_nodes.Get(id)) : await inner.GetAsync(id, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        if (DiskNodes.IsOfDisk(folder))
        {
            DiskNode node = _nodes.Get(folder);
            if (node.Part is null)
            {
                return (await ListPartsAsync(node, cancellationToken).ConfigureAwait(false)).FirstOrDefault(part => part.Name.Span.SequenceEqual(name.Span));
            }

            return node is { Part.Content.Files: { } volume, Item: { Kind: EntryKind.Directory } item } && await volume.FindAsync(item, name, cancellationToken).ConfigureAwait(false) is { } found
                ? ItemOf(await AddAsync(node, found, cancellationToken).ConfigureAwait(false))
                : null;
        }

        if (await inner.FindAsync(folder, name, cancellationToken).ConfigureAwait(false) is { } there)
        {
            return there;
        }

        return name.Length > _suffix.Length && name.Span.EndsWith(_suffix)
            && await inner.FindAsync(folder, name[..^_suffix.Length], cancellationToken).ConfigureAwait(false) is { } file && isDisk(file)
            ? FolderOf(file, folder)
            : null;
    }

    /// <inheritdoc/>
    public async ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        if (!DiskNodes.IsOfDisk(folder))
        {
            return await ListAroundAsync(folder, after, most, cancellationToken).ConfigureAwait(false);
        }

        DiskNode node = _nodes.Get(folder);
        if (node.Part is null)
        {
            IReadOnlyList<ViewItem> parts;
            try
            {
                parts = await ListPartsAsync(node, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.IsOfDisk)
            {
                return new ViewPage([], e, IsLast: true);
            }

            int next = after == 0 ? 0 : parts.Index().FirstOrDefault(part => part.Item.Id == after).Index + 1;
            return new ViewPage([.. parts.Skip(next).Take(most)], null, IsLast: parts.Count - next <= most);
        }

        return node is { Part.Content.Files: { } volume, Item: { } item }
            ? await ListVolumeAsync(node, volume, item, after, most, cancellationToken).ConfigureAwait(false)
            : new ViewPage([], node.Part.Content.Error, IsLast: true);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!DiskNodes.IsOfDisk(id))
        {
            return await inner.ReadAsync(id, offset, destination, cancellationToken).ConfigureAwait(false);
        }

        (IFileVolume volume, VolumeItem item) = FileOf(id);
        return await volume.ReadAsync(item, offset, destination, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken)
    {
        if (!DiskNodes.IsOfDisk(id))
        {
            return await inner.SeekAsync(id, offset, isHole, cancellationToken).ConfigureAwait(false);
        }

        // Where a file system has its holes is not told: all of a file is data.
        long length = FileOf(id).Item.Length;
        return offset >= length ? null : isHole ? length : offset;
    }

    /// <inheritdoc/>
    public async ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken) => DiskNodes.IsOfDisk(id)
        ? new ViewExtent(IsHole: false, Math.Min(most, FileOf(id).Item.Length - offset))
        : await inner.MeasureAsync(id, offset, most, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public TimeSpan Lasts(ulong folder) => DiskNodes.IsOfDisk(folder) ? TimeSpan.MaxValue : inner.Lasts(folder);

    /// <inheritdoc/>
    public void Dispose()
    {
        _disks.Dispose();
        inner.Dispose();
    }

    // Each disk is followed by its folder.
    private async ValueTask<ViewPage> ListAroundAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
    {
        var items = new List<ViewItem>();
        if (DiskNodes.IsOfDisk(after))
        {
            after = _nodes.Get(after).Parent;
        }
        else if (after != 0 && await TryGetAsync(after, cancellationToken).ConfigureAwait(false) is { } last && isDisk(last))
        {
            items.Add(FolderOf(last, folder));
            if (most == 1)
            {
                return new ViewPage(items, null, IsLast: false);
            }
        }

        ViewPage page = await inner.ListAsync(folder, after, most - items.Count, cancellationToken).ConfigureAwait(false);
        foreach ((int index, ViewItem item) in page.Items.Index())
        {
            items.Add(item);
            if (isDisk(item))
            {
                if (items.Count == most)
                {
                    return new ViewPage(items, page.Damage, IsLast: false);
                }

                items.Add(FolderOf(item, folder));
            }

            if (items.Count == most && index < page.Items.Count - 1)
            {
                return new ViewPage(items, page.Damage, IsLast: false);
            }
        }

        return new ViewPage(items, page.Damage, page.IsLast);
    }

    // Where points come and go, one that was listed may be gone.
    private async ValueTask<ViewItem?> TryGetAsync(ulong id, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.GetAsync(id, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.RecoverableItemNotFound)
        {
            return null;
        }
    }

    private async ValueTask<IReadOnlyList<ViewItem>> ListPartsAsync(DiskNode node, CancellationToken cancellationToken)
    {
        IReadOnlyList<ImagePart> parts = await _disks.OpenAsync(node.Disk, node.Folder, cancellationToken).ConfigureAwait(false);
        return [.. parts.Select(part => ItemOf(_nodes.Add(node.Number, node.Disk, Encoding.UTF8.GetBytes(part.Name), part, part.Content.Files?.Root, default)))];
    }

    private async ValueTask<ViewPage> ListVolumeAsync(DiskNode node, IFileVolume volume, VolumeItem folder, ulong after, int most, CancellationToken cancellationToken)
    {
        var items = new List<ViewItem>();
        (IAsyncEnumerator<VolumeItem> listing, bool isBegun) = _listings.Take(node.Number, after, () => volume.ListAsync(folder, CancellationToken.None));
        bool isKept = false;
        try
        {
            ReadOnlyMemory<byte> last = after == 0 || isBegun ? default : _nodes.Get(after).Name;
            while (await listing.MoveNextAsync().ConfigureAwait(false))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!last.IsEmpty)
                {
                    last = listing.Current.Name.Span.SequenceEqual(last.Span) ? default : last;
                    continue;
                }

                items.Add(ItemOf(await AddAsync(node, listing.Current, cancellationToken).ConfigureAwait(false)));
                if (items.Count == most)
                {
                    _listings.Keep(node.Number, items[^1].Id, listing);
                    isKept = true;
                    return new ViewPage(items, null, IsLast: false);
                }
            }

            return new ViewPage(items, null, IsLast: true);
        }
        catch (BackupException e) when (e.IsOfDisk)
        {
            return new ViewPage(items, e, IsLast: true);
        }
        finally
        {
            if (!isKept)
            {
                await listing.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<DiskNode> AddAsync(DiskNode folder, VolumeItem item, CancellationToken cancellationToken)
    {
        byte[] target = [];
        if (item.Kind == EntryKind.SymbolicLink)
        {
            target = new byte[Math.Min(item.Length, EntryPath.MaxLength)];
            int length = await folder.Part!.Content.Files!.ReadAsync(item, 0, target, cancellationToken).ConfigureAwait(false);
            target = target[..length];
        }

        return _nodes.Add(folder.Number, folder.Disk, item.Name, folder.Part, item, target);
    }

    private (IFileVolume Volume, VolumeItem Item) FileOf(ulong id)
    {
        DiskNode node = _nodes.Get(id);
        return node is { Part.Content.Files: { } volume, Item: { Kind: EntryKind.File } item }
            ? (volume, item)
            : throw new BackupException(BackupErrorId.RestoreItemFailed, $"'{PathText.Show(PathForm.Posix, node.Name.Span)}' is not a file: only files are read.", "Name a file.", PathText.Show(PathForm.Posix, node.Name.Span));
    }

    private ViewItem FolderOf(ViewItem disk, ulong folder) => ItemOf(_nodes.Add(disk.Id, disk, (byte[])[.. disk.Name.Span, .. _suffix], part: null, item: null, default, folder));

    private static ViewItem ItemOf(DiskNode node)
    {
        EntryMetadata ofDisk = node.Disk.Entry.Metadata;
        var entry = new ManifestEntry
        {
            Path = new EntryPath(node.Name.ToArray()),
            Kind = node.Item?.Kind ?? EntryKind.Directory,
            Size = node.Item is { Kind: EntryKind.File } file ? file.Length : 0,
            LinkTarget = node.LinkTarget,
            Metadata = node.Item is { } item
                ? new EntryMetadata
                {
                    Mode = item.Permissions ?? (item.Kind == EntryKind.Directory ? 0x1edu : 0x1a4u),
                    UserId = item.UserId,
                    GroupId = item.GroupId,
                    Modified = item.Modified,
                    Changed = item.Modified,
                    FileId = item.Id,
                    LinkCount = item.LinkCount,
                }
                : new EntryMetadata { Mode = 0x16d, Modified = ofDisk.Modified, Changed = ofDisk.Modified },
        };
        return new ViewItem(node.Number, node.Name, entry, PathForm.Posix, node.Number) { PointId = node.Disk.PointId, Point = node.Disk.Point };
    }
}
