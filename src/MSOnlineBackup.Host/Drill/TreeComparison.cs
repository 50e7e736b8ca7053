using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Drill;

/// <summary>Something that a restored tree has otherwise than its source.</summary>
/// <param name="Path">The full path in the source, as text.</param>
/// <param name="What">What differs.</param>
/// <param name="ChangedMeanwhile">Whether the source was changed after the backup began, which explains it.</param>
internal sealed record TreeDifference(string Path, string What, bool ChangedMeanwhile);

/// <summary>
/// Compares a restored tree with its source, item by item and byte by byte: kind, size, content, mode, owner, time of
/// modification, link target, device number, extended attributes and ACLs, and which names are the same file.
/// </summary>
/// <param name="source">The tree that was backed up.</param>
/// <param name="restored">The tree that came back.</param>
/// <param name="backupStarted">When the backup began.</param>
internal sealed class TreeComparison(ISourceTree source, ISourceTree restored, DateTimeOffset backupStarted)
{
    private const int BlockSize = 1 << 20;

    // The kernel stamps files with the time of its last tick, which may lie a little before the moment itself.
    private static readonly TimeSpan _clockGranularity = TimeSpan.FromMilliseconds(20);

    private readonly ItemTime _started = ItemTime.From(backupStarted - _clockGranularity);

    private readonly string _root = PathText.Show(PathText.Local, source.RootPath.Span);
    private readonly byte[] _left = new byte[BlockSize];
    private readonly byte[] _right = new byte[BlockSize];

    // Files with several names: where the restored file of a source file is.
    private readonly Dictionary<(ulong Device, ulong File), (ulong Device, ulong File)> _linked = [];

    // The folders above the current item, outermost first: an item that is gone leaves its mark on its folder.
    private readonly List<ManifestEntry> _folders = [];
    private readonly List<TreeDifference> _differences = [];

    /// <summary>Items compared so far.</summary>
    public long Items { get; private set; }

    /// <summary>Files compared so far.</summary>
    public long Files { get; private set; }

    /// <summary>Bytes compared so far, holes included.</summary>
    public long Bytes { get; private set; }

    /// <summary>What is being compared.</summary>
    public string? CurrentItem { get; private set; }

    /// <summary>Compares everything.</summary>
    /// <exception cref="BackupException">A root cannot be read.</exception>
    public IReadOnlyList<TreeDifference> Run(CancellationToken cancellationToken)
    {
        using IEnumerator<SourceItem> originals = source.Walk(cancellationToken).GetEnumerator();
        using IEnumerator<SourceItem> copies = restored.Walk(cancellationToken).GetEnumerator();
        bool hasOriginal = originals.MoveNext();
        bool hasCopy = copies.MoveNext();
        while (hasOriginal || hasCopy)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int order = !hasOriginal ? 1 : !hasCopy ? -1 : originals.Current.Entry.Path.CompareTo(copies.Current.Entry.Path);
            if (order < 0)
            {
                Missing(originals.Current);
            }
            else if (order > 0)
            {
                Surplus(copies.Current.Entry);
            }
            else
            {
                Compare(originals.Current, copies.Current);
            }

            hasOriginal = order > 0 ? hasOriginal : originals.MoveNext();
            hasCopy = order < 0 ? hasCopy : copies.MoveNext();
        }

        return _differences;
    }

    private void Missing(SourceItem original)
    {
        Enter(original.Entry);
        if (IsReadable(original))
        {
            Report(original.Entry.Path, "was not restored", IsNewerThanBackup(original.Entry));
        }
    }

    private void Surplus(ManifestEntry copy)
    {
        Leave(copy.Path);
        Report(copy.Path, "was restored, but is not in the source", _folders.Count > 0 && IsNewerThanBackup(_folders[^1]));
    }

    private void Compare(SourceItem original, SourceItem copy)
    {
        Enter(original.Entry);
        CurrentItem = FullPath(original.Entry.Path);
        Items++;
        try
        {
            if (Difference(original, copy) is { } what)
            {
                Report(original.Entry.Path, what, IsNewerThanBackup(original.Entry));
            }
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            // Whether the source or the copy was at fault, the two were not seen to be the same.
            Report(original.Entry.Path, $"could not be compared: {e.Message}", e.Id != BackupErrorId.SourceItemUnreadable || IsNewerThanBackup(original.Entry));
        }
    }

    private string? Difference(SourceItem original, SourceItem copy)
    {
        if (original.Failure is not null)
        {
            return null;
        }

        if (copy.Failure is { } failure)
        {
            return $"cannot be read where it was restored: {failure.Message}";
        }

        ManifestEntry left = original.ReadDetails();
        ManifestEntry right = copy.ReadDetails();
        return MetadataDifference(left, right)
            ?? StreamDifference(original, copy)
            ?? (left.Kind == EntryKind.File ? ContentDifference(original, copy, left) : null);
    }

    // Short streams are among the attributes.
    private string? StreamDifference(SourceItem original, SourceItem copy)
    {
        if (original.LongStreams.Count != copy.LongStreams.Count)
        {
            return "has different streams";
        }

        foreach (SourceStream stream in original.LongStreams)
        {
            SourceStream? restored = copy.LongStreams.FirstOrDefault(one => one.Name.Span.SequenceEqual(stream.Name.Span));
            if (restored is null || restored.Size != stream.Size)
            {
                return $"has a stream '{stream.ShownName}' of {stream.Size} bytes, restored {restored?.Size ?? 0}";
            }

            using ISourceFile left = original.OpenStream(stream);
            using ISourceFile right = copy.OpenStream(restored);
            if (ContentDifference(left, right, stream.Size) is { } difference)
            {
                return $"has a stream '{stream.ShownName}' that {difference}";
            }
        }

        return null;
    }

    private string? MetadataDifference(ManifestEntry left, ManifestEntry right)
    {
        EntryMetadata a = left.Metadata;
        EntryMetadata b = right.Metadata;
        bool sameOwner = (a.UserId == b.UserId && a.GroupId == b.GroupId) || !Environment.IsPrivilegedProcess;
        return left.Kind != right.Kind ? $"is a {left.Kind}, restored as a {right.Kind}"
            : left.Size != right.Size ? $"has {left.Size} bytes, restored {right.Size}"
            : !left.LinkTarget.Span.SequenceEqual(right.LinkTarget.Span) ? $"links to {Text(left.LinkTarget)}, restored to {Text(right.LinkTarget)}"
            : a.Mode != b.Mode ? $"has mode {Convert.ToString(a.Mode, 8)}, restored {Convert.ToString(b.Mode, 8)}"
            : !sameOwner ? $"belongs to {a.UserId}:{a.GroupId}, restored to {b.UserId}:{b.GroupId}"
            : a.Modified != b.Modified ? $"was modified at {a.Modified}, restored as {b.Modified}"
            : a.DeviceNumber != b.DeviceNumber ? "has a different device number"
            : !Attributes(left).SequenceEqual(Attributes(right)) ? "has different attributes"
            : !SameLinks(left, right) ? "is no longer the same file as its other names"
            : null;
    }

    private bool SameLinks(ManifestEntry left, ManifestEntry right)
    {
        if (left.Kind == EntryKind.Directory || left.Metadata.LinkCount < 2)
        {
            return true;
        }

        (ulong, ulong) copy = (right.Metadata.DeviceId, right.Metadata.FileId);
        return _linked.TryAdd((left.Metadata.DeviceId, left.Metadata.FileId), copy)
            || _linked[(left.Metadata.DeviceId, left.Metadata.FileId)] == copy;
    }

    private string? ContentDifference(SourceItem original, SourceItem copy, ManifestEntry entry)
    {
        Files++;
        using ISourceFile left = original.Open();
        using ISourceFile right = copy.Open();
        return ContentDifference(left, right, entry.Size);
    }

    private string? ContentDifference(ISourceFile left, ISourceFile right, long size)
    {
        long position = 0;
        while (NextData(left, right, position) is { } data)
        {
            int length = left.Read(data, _left);
            if (length != Fill(right, data, _right.AsSpan(0, length)) || !_left.AsSpan(0, length).SequenceEqual(_right.AsSpan(0, length)))
            {
                return $"has different content from byte {data + _left.AsSpan(0, length).CommonPrefixLength(_right)} onward";
            }

            // Behind the end of a source that shrank there is nothing more to compare; its new size is the difference.
            if (length == 0)
            {
                return "became shorter while it was compared";
            }

            Bytes += data + length - position;
            position = data + length;
        }

        Bytes += Math.Max(0, size - position);
        return null;
    }

    // Where both have a hole there is nothing to read.
    private static long? NextData(ISourceFile left, ISourceFile right, long position)
    {
        long? a = left.TryGetDataRun(position, out long start, out _) ? start : null;
        long? b = right.TryGetDataRun(position, out start, out _) ? start : null;
        return a is null || b < a ? b : a;
    }

    private static int Fill(ISourceFile file, long offset, Span<byte> destination)
    {
        int total = 0;
        while (total < destination.Length && file.Read(offset + total, destination[total..]) is > 0 and int count)
        {
            total += count;
        }

        return total;
    }

    private static IEnumerable<(AttributeTag Tag, string Name, string Value)> Attributes(ManifestEntry entry) => entry.Attributes
        .Where(attribute => attribute.Tag is not (AttributeTag.Unread or AttributeTag.MountPoint))
        .Select(attribute => (attribute.Tag, Convert.ToHexString(attribute.Name.Span), Convert.ToHexString(attribute.Value.Span)));

    private static bool IsReadable(SourceItem item)
    {
        try
        {
            if (item.Failure is null && item.Entry.Kind == EntryKind.File)
            {
                item.Open().Dispose();
            }

            return item.Failure is null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SourceItemUnreadable)
        {
            return false;
        }
    }

    private void Enter(ManifestEntry entry)
    {
        Leave(entry.Path);
        if (entry.Kind == EntryKind.Directory)
        {
            _folders.Add(entry);
        }
    }

    private void Leave(EntryPath path) => _folders.RemoveAll(folder => folder.Path == path || !path.IsAtOrBelow(folder.Path));

    // The time of modification is anybody's to set, also to a day to come; that of the change, where the file system has it, the kernel's alone.
    private bool IsNewerThanBackup(ManifestEntry entry) =>
        (entry.Metadata.Changed > default(ItemTime) ? entry.Metadata.Changed : entry.Metadata.Modified) >= _started;

    private void Report(EntryPath path, string what, bool changedMeanwhile) =>
        _differences.Add(new TreeDifference(FullPath(path), what, changedMeanwhile));

    private string FullPath(EntryPath path) =>
        path.IsRoot ? _root : $"{_root.TrimEnd(Path.DirectorySeparatorChar)}{Path.DirectorySeparatorChar}{PathText.Show(path)}";

    private static string Text(ReadOnlyMemory<byte> bytes) => EntryName.Escape(bytes.Span);
}
