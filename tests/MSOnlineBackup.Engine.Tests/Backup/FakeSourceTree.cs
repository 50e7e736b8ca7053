using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A source by script: what it holds, what fails, and what happens while a file is read.</summary>
internal sealed class FakeSourceTree(string root) : ISourceTree
{
    private readonly SortedDictionary<EntryPath, FakeItem> _items = [];

    public ReadOnlyMemory<byte> RootPath { get; } = Encoding.UTF8.GetBytes(root);

    public string? FileSystem => "fake";

    public bool IsMountPoint { get; init; }

    /// <summary>The files that were opened, in order.</summary>
    public List<string> Opened { get; } = [];

    /// <summary>The item at a path.</summary>
    public FakeItem this[string path] => _items[EntryPath.Parse(path)];

    public FakeSourceTree Folder(string path, int state = 1) => Add(path, EntryKind.Directory, [], state);

    /// <summary>A file; another state is another change time.</summary>
    public FakeSourceTree File(string path, byte[] content, int state = 1) => Add(path, EntryKind.File, content, state);

    /// <summary>An item with the metadata that are given.</summary>
    public FakeSourceTree Put(string path, EntryKind kind, EntryMetadata metadata, byte[] content, byte[] linkTarget)
    {
        EntryPath entryPath = EntryPath.Parse(path);
        var entry = new ManifestEntry { Path = entryPath, Kind = kind, Size = content.Length, Metadata = metadata, LinkTarget = linkTarget };
        _items[entryPath] = new FakeItem(this, entry, content);
        return this;
    }

    /// <summary>Names that the walk does not meet, though they are there.</summary>
    public HashSet<string> Missed { get; } = [];

    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken) => _items.Where(item => !IsMissed(item.Key)).Select(item => item.Value);

    public IEnumerable<SourceItem> LookAgain(EntryPath path, CancellationToken cancellationToken) =>
        _items.Where(item => item.Key.IsAtOrBelow(path)).Select(item => item.Value);

    private bool IsMissed(EntryPath path) => Missed.Any(missed => path.IsAtOrBelow(EntryPath.Parse(missed)));

    public void Dispose()
    {
    }

    public static BackupException Unreadable(string path) => new(BackupErrorId.SourceItemUnreadable, $"'{path}' cannot be read.", "None: a test.", path);

    public static BackupException Vanished(string path) => new(BackupErrorId.SourceItemVanished, $"'{path}' is gone.", "None: a test.", path);

    private FakeSourceTree Add(string path, EntryKind kind, byte[] content, int state)
    {
        EntryPath entryPath = EntryPath.Parse(path);
        var entry = new ManifestEntry
        {
            Path = entryPath,
            Kind = kind,
            Size = content.Length,
            Metadata = new EntryMetadata { Mode = 0x1a4, Modified = new(0, state), Changed = new(0, state), FileId = (ulong)(path.Aggregate(17, static (hash, c) => unchecked((hash * 31) + c)) & 0xffff_ffff) },
        };
        _items[entryPath] = new FakeItem(this, entry, content);
        return this;
    }
}

/// <summary>An item of a <see cref="FakeSourceTree"/>.</summary>
internal sealed class FakeItem(FakeSourceTree tree, ManifestEntry entry, byte[] content) : SourceItem
{
    private IReadOnlyList<SourceStream> _longStreams = [];

    public override ManifestEntry Entry => entry with { Size = FalseSize ?? entry.Size };

    public override BackupException? Failure => Refuses;

    /// <summary>Why the walk could not read it.</summary>
    public BackupException? Refuses { get; set; }

    /// <summary>Why it does not open.</summary>
    public BackupException? RefusesOpen { get; set; }

    /// <summary>Called before each read, with its offset.</summary>
    public Action<long>? Reading { get; set; }

    /// <summary>What of its attributes cannot be read.</summary>
    public IReadOnlyList<EntryAttribute> Attributes { get; set; } = [];

    /// <summary>Why.</summary>
    public List<BackupException> Faults { get; } = [];

    /// <summary>Whether another file system is mounted there.</summary>
    public bool IsMount { get; set; }

    /// <summary>What its size is said to be.</summary>
    public long? FalseSize { get; set; }

    public override IReadOnlyList<BackupException> AttributeFaults => Faults;

    public override bool IsCrossedMountPoint => IsMount;

    /// <summary>What its content becomes when it is opened.</summary>
    public byte[]? ContentWhenOpened { get; set; }

    /// <summary>Whether each look at the open file finds it changed again.</summary>
    public bool KeepsChanging { get; set; }

    /// <summary>How often the open file was looked at.</summary>
    public int Stats { get; private set; }

    /// <summary>Where the first read began.</summary>
    public long? FirstRead { get; private set; }

    /// <summary>Its named streams, in the order in which they are listed.</summary>
    public List<FakeStream> Streams { get; } = [];

    /// <summary>The streams that were opened, in order.</summary>
    public List<string> OpenedStreams { get; } = [];

    public override IReadOnlyList<SourceStream> LongStreams => _longStreams;

    /// <summary>Adds a named stream.</summary>
    public FakeItem With(FakeStream stream)
    {
        Streams.Add(stream);
        return this;
    }

    public override ManifestEntry ReadDetails()
    {
        var streams = new List<EntryAttribute>();
        _longStreams = SourceStream.Divide(Streams.Select(stream => new SourceStream(Encoding.UTF8.GetBytes(stream.Name), stream.Size)), OpenStream, streams);
        return Entry with { Attributes = [.. Attributes, .. streams, .. IsMount ? [new EntryAttribute(AttributeTag.MountPoint, default, default)] : (EntryAttribute[])[]] };
    }

    public override ISourceFile OpenStream(SourceStream stream)
    {
        FakeStream found = Streams.Single(one => one.Name == stream.ShownName);
        if (found.Refuses is not null)
        {
            throw found.Refuses;
        }

        OpenedStreams.Add(found.Name);
        return found.Open(Entry);
    }

    public override ISourceFile Open()
    {
        if (RefusesOpen is not null)
        {
            throw RefusesOpen;
        }

        tree.Opened.Add(entry.Path.ToString());
        return new OpenFile(this, ContentWhenOpened ?? content, ContentWhenOpened is null ? Entry : entry with { Size = ContentWhenOpened.Length, Metadata = entry.Metadata with { Modified = new(0, 99), Changed = new(0, 99) } });
    }

    private sealed class OpenFile(FakeItem item, byte[] content, ManifestEntry now) : ISourceFile
    {
        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            (start, length) = (offset, content.Length - offset);
            return length > 0;
        }

        public int Read(long offset, Span<byte> destination)
        {
            item.Reading?.Invoke(offset);
            item.FirstRead ??= offset;
            int count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
            content.AsSpan((int)Math.Min(offset, content.Length), count).CopyTo(destination);
            return count;
        }

        public ManifestEntry Stat()
        {
            item.Stats++;
            return item.KeepsChanging ? now with { Metadata = now.Metadata with { Changed = new(0, (uint)(100 + item.Stats)) } } : now;
        }

        public void Dispose()
        {
        }
    }
}
