using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>A small tree that whoever asks for the backup has put together, its folders made for it.</summary>
internal sealed class ComposedSource : ISourceTree
{
    private readonly byte[] _name;
    private readonly List<SourceItem> _items = [];

    /// <summary>Makes a source of files, whose disks stay the caller's.</summary>
    /// <param name="name">Takes the place of the root's path.</param>
    /// <param name="files">The files; <see cref="Check"/> was content with them.</param>
    /// <param name="timeProvider">Tells the time of what has none: now.</param>
    public ComposedSource(string name, IReadOnlyList<ComposedFile> files, TimeProvider timeProvider)
    {
        _name = Encoding.UTF8.GetBytes(name);
        DateTimeOffset now = timeProvider.GetUtcNow();
        var folders = new HashSet<EntryPath> { EntryPath.Root };
        foreach (ComposedFile file in files)
        {
            EntryPath path = PathOf(file);
            _items.Add(new FileItem(file, EntryOf(path, EntryKind.File, file.Modified ?? now) with { Size = file.Length }));
            while (!path.IsRoot)
            {
                folders.Add(path = path.Parent);
            }
        }

        _items.AddRange(folders.Select(folder => new FolderItem(EntryOf(folder, EntryKind.Directory, now))));
        _items.Sort(static (left, right) => left.Entry.Path.CompareTo(right.Entry.Path));
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> RootPath => _name;

    /// <inheritdoc/>
    public string? FileSystem => null;

    /// <inheritdoc/>
    public bool IsMountPoint => false;

    /// <inheritdoc/>
    public SourceConsistency? Consistency { get; init; }

    /// <inheritdoc/>
    public string? Warning { get; init; }

    /// <summary>Whether a recovery point can hold such a tree.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: a name that is none, two files at one place, a disk that is too long.</exception>
    public static void Check(string name, IReadOnlyList<ComposedFile> files)
    {
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0') || name.Length > RecoveryPointCodec.MaxTextLength)
        {
            throw Invalid($"'{name}' cannot be the name of a source.", "Use a name without '/' and '\\'.", name);
        }

        var paths = new HashSet<EntryPath>();
        foreach (ComposedFile file in files)
        {
            EntryPath path = PathOf(file);
            if (path.IsRoot || !EntryPath.IsValid(path.Bytes) || !paths.Add(path))
            {
                throw Invalid($"'{file.Path}' cannot be the path of a file of '{name}', or is that of two of them.", "Give each file a path of its own: names joined by '/'.", file.Path);
            }

            if (file.Disk is { } disk && disk.Length > DiskGrid.MostBytesOf(file.BlockBytes))
            {
                throw Invalid(
                    FormattableString.Invariant($"The disk '{file.Path}' of '{name}' has {disk.Length:N0} bytes; in blocks of {file.BlockBytes:N0} bytes a disk can have {DiskGrid.MostBytesOf(file.BlockBytes):N0}."),
                    FormattableString.Invariant($"Use blocks of {DiskGrid.BlockBytes:N0} bytes, or leave the disk out."),
                    file.Path);
            }
        }

        // What holds another one cannot be a file.
        foreach (ComposedFile file in files)
        {
            for (EntryPath folder = PathOf(file).Parent; !folder.IsRoot; folder = folder.Parent)
            {
                if (paths.Contains(folder))
                {
                    throw Invalid($"'{folder}' of '{name}' is a file, and '{file.Path}' would be in it.", "Give one of the two another path.", file.Path);
                }
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken) => _items;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static EntryPath PathOf(ComposedFile file) => new(Encoding.UTF8.GetBytes(file.Path));

    private static BackupException Invalid(string message, string action, string target) => new(BackupErrorId.ArgumentInvalid, message, action, target);

    private static ManifestEntry EntryOf(EntryPath path, EntryKind kind, DateTimeOffset time) => new()
    {
        Path = path,
        Kind = kind,
        Metadata = MadeMetadata.Of(kind, ItemTime.From(time)),
    };

    private sealed class FolderItem(ManifestEntry entry) : SourceItem
    {
        public override ManifestEntry Entry => entry;

        public override BackupException? Failure => null;

        public override ManifestEntry ReadDetails() => entry;

        public override ISourceFile Open() => throw new NotSupportedException("A folder has no content.");
    }

    private sealed class FileItem(ComposedFile file, ManifestEntry entry) : SourceItem
    {
        public override ManifestEntry Entry => entry;

        public override BackupException? Failure => null;

        public override bool IsTimeTold => file.Modified is not null;

        public override GriddedContent? Gridded => file.Disk is { } disk ? new GriddedContent(disk, file.BlockBytes) : null;

        public override ManifestEntry ReadDetails() => entry;

        public override ISourceFile Open() => file.Disk is { } disk ? new DiskFile(disk, entry) : new Content(file.Content, entry);
    }

    private sealed class Content(ReadOnlyMemory<byte> bytes, ManifestEntry entry) : ISourceFile
    {
        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            start = offset;
            length = bytes.Length - offset;
            return length > 0;
        }

        public int Read(long offset, Span<byte> destination)
        {
            int count = (int)Math.Clamp(bytes.Length - offset, 0, destination.Length);
            if (count > 0)
            {
                bytes.Span.Slice((int)offset, count).CopyTo(destination);
            }

            return count;
        }

        public ManifestEntry Stat() => entry;

        public void Dispose()
        {
        }
    }
}
