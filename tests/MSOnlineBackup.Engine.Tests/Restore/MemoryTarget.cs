using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>A target in memory that holds its users to the contract: no name is taken twice, no folder is finished before what is in it.</summary>
internal sealed class MemoryTarget : IRestoreTarget
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<EntryPath, Node> _items;
    private readonly List<string> _violations = [];
    private readonly bool _ignoresCase;
    private int _open;

    /// <summary>An empty target.</summary>
    /// <param name="ignoresCase">Whether names that differ by the case of letters are one.</param>
    public MemoryTarget(bool ignoresCase = false)
    {
        _ignoresCase = ignoresCase;
        _items = new SortedDictionary<EntryPath, Node>(ignoresCase ? Comparer<EntryPath>.Create((one, other) => Fold(one).CompareTo(Fold(other))) : null)
        {
            [EntryPath.Root] = Node.Folder(EntryPath.Root),
        };

        static EntryPath Fold(EntryPath path) => EntryPath.Parse(path.ToString().ToUpperInvariant());
    }

    /// <summary>Which names there cannot be.</summary>
    public Func<string, bool> Lacks { get; init; } = static _ => false;

    /// <summary>How often it was tried whether case counts.</summary>
    public int CaseTrials { get; private set; }

    /// <summary>Called before anything is written to a file; may throw.</summary>
    public Action<EntryPath>? BeforeWrite { get; init; }

    /// <summary>Changes what is read back.</summary>
    public Func<EntryPath, byte[], byte[]>? OnOpenRead { get; init; }

    /// <summary>Changes what a file has when it gets its name.</summary>
    public Func<EntryPath, byte[], byte[]>? OnComplete { get; init; }

    /// <summary>How many names a file can have.</summary>
    public int MostNames { get; init; } = int.MaxValue;

    /// <summary>Whether items can have named streams.</summary>
    public bool HasStreams { get; init; } = true;

    /// <summary>Changes what a stream has when it is complete.</summary>
    public Func<EntryPath, SparseContent, SparseContent> OnStreamComplete { get; init; } = static (_, content) => content;

    /// <summary>Called before anything is written to a stream, with its item; may throw.</summary>
    public Action<EntryPath>? BeforeStreamWrite { get; init; }

    public bool IsSynchronized { get; private set; }

    /// <summary>How often files that were there were read.</summary>
    public int Reads { get; private set; }

    /// <summary>Files begun and neither completed nor disposed.</summary>
    public int OpenFiles => Volatile.Read(ref _open);

    public int MostOpenFiles { get; private set; }

    public IReadOnlyList<string> Paths
    {
        get
        {
            lock (_gate)
            {
                return [.. _items.Keys.Where(path => !path.IsRoot).Select(path => path.ToString())];
            }
        }
    }

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_gate)
            {
                return [.. _violations];
            }
        }
    }

    public Node this[string path] => _items[EntryPath.Parse(path)];

    public bool Has(string path) => _items.ContainsKey(EntryPath.Parse(path));

    public void Put(string path, byte[] content, long modifiedNs = 0)
    {
        EntryPath place = EntryPath.Parse(path);
        CreateDirectory(place.Parent);
        _items[place] = new Node(new ManifestEntry { Path = place, Kind = EntryKind.File, Size = content.Length, Metadata = new EntryMetadata { Modified = new(0, modifiedNs) } }) { Content = content };
    }

    public bool CanHave(ReadOnlySpan<byte> name) => !Lacks(EntryName.Escape(name));

    public bool IgnoresCase(EntryPath folder)
    {
        CaseTrials++;
        return _ignoresCase;
    }

    public ManifestEntry? Find(EntryPath path)
    {
        lock (_gate)
        {
            return _items.GetValueOrDefault(path)?.Entry;
        }
    }

    int IRestoreTarget.MostOpenFiles => 250;

    public bool HasMetadata(ManifestEntry entry)
    {
        lock (_gate)
        {
            return _items[entry.Path].Entry.Metadata with { FileId = 0, DeviceId = 0, LinkCount = 1 } == entry.Metadata with { FileId = 0, DeviceId = 0, LinkCount = 1 };
        }
    }

    public Action? OpenDirectory(EntryPath path, bool unlock)
    {
        CreateDirectory(path);
        return null;
    }

    private void CreateDirectory(EntryPath path)
    {
        lock (_gate)
        {
            if (_items.TryGetValue(path, out Node? found))
            {
                if (found.Entry.Kind != EntryKind.Directory)
                {
                    throw Fault(BackupErrorId.RestoreItemExists, path);
                }

                return;
            }

            CreateDirectory(path.Parent);
            CheckFolderOf(path);
            _items.Add(path, Node.Folder(path));
        }
    }

    public bool HoldsItems(EntryPath folder)
    {
        lock (_gate)
        {
            return _items.Keys.Any(path => path != folder && path.IsAtOrBelow(folder));
        }
    }

    public void Remove(EntryPath path)
    {
        lock (_gate)
        {
            _items.Remove(path);
        }
    }

    public IRestoreFile CreateFile(ManifestEntry entry)
    {
        lock (_gate)
        {
            CheckFolderOf(entry.Path);
            MostOpenFiles = Math.Max(MostOpenFiles, Interlocked.Increment(ref _open));
            return new MemoryFile(this, entry);
        }
    }

    public void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata) => Place(entry, new Node(entry), replace);

    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace)
    {
        lock (_gate)
        {
            if (_items.Values.Count(item => item == _items[existing]) >= MostNames)
            {
                return false;
            }

            Place(_items[existing].Entry with { Path = path }, _items[existing], replace);
            return true;
        }
    }

    public void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata)
    {
        lock (_gate)
        {
            Node folder = _items[entry.Path];
            if (entry.Kind != EntryKind.Directory)
            {
                folder.Entry = entry;
                return;
            }

            if (folder.IsFinished)
            {
                _violations.Add($"'{entry.Path}' was finished twice");
            }

            foreach ((EntryPath path, Node item) in _items)
            {
                if (path != entry.Path && path.IsAtOrBelow(entry.Path) && item is { Entry.Kind: EntryKind.Directory, IsFinished: false, WasThere: false })
                {
                    _violations.Add($"'{entry.Path}' was finished before '{path}'");
                }
            }

            folder.Entry = entry;
            folder.IsFinished = true;
        }
    }

    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
    }

    public int Read(ManifestEntry existing, long offset, Span<byte> destination)
    {
        lock (_gate)
        {
            Reads++;
            ReadOnlySpan<byte> rest = _items[existing.Path].Content.AsSpan((int)offset);
            rest = rest[..Math.Min(rest.Length, destination.Length)];
            rest.CopyTo(destination);
            return rest.Length;
        }
    }

    public bool IsZero(ManifestEntry existing, long offset, long length)
    {
        lock (_gate)
        {
            return !_items[existing.Path].Content.AsSpan((int)offset, (int)length).ContainsAnyExcept((byte)0);
        }
    }

    public bool CanHaveStream(ReadOnlySpan<byte> name) => HasStreams;

    public IRestoreStream CreateStream(EntryPath folder, ReadOnlyMemory<byte> name, long length)
    {
        lock (_gate)
        {
            CheckFolderOf(folder);
            if (_items[folder].IsFinished)
            {
                _violations.Add($"a stream of '{folder}' was made after it was finished");
            }

            return new MemoryRestoreStream(name, length, _items[folder].Streams, () => BeforeStreamWrite?.Invoke(folder), content => OnStreamComplete(folder, content));
        }
    }

    public Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name)
    {
        lock (_gate)
        {
            return _items.GetValueOrDefault(path)?.Streams.GetValueOrDefault(EntryName.Escape(name.Span)) is { } stream ? new SparseStream(stream) : null;
        }
    }

    public void Synchronize() => IsSynchronized = true;

    public Stream OpenRead(EntryPath path)
    {
        lock (_gate)
        {
            byte[] content = _items[path].Content;
            return new MemoryStream(OnOpenRead?.Invoke(path, [.. content]) ?? content);
        }
    }

    public void Dispose()
    {
    }

    /// <summary>From here on everything counts as having been there before.</summary>
    public void Settle()
    {
        foreach (Node item in _items.Values)
        {
            item.WasThere = true;
            item.IsFinished = false;
            if (item.Entry is { Kind: EntryKind.Directory, Metadata.Mode: IRestoreTarget.UnfinishedMode })
            {
                item.Entry = item.Entry with { Metadata = item.Entry.Metadata with { Mode = 0x1c0 } };
            }
        }
    }

    private static BackupException Fault(BackupErrorId id, EntryPath path) => new(id, $"A test lets '{path}' fail: {id}.", "None: a test.", path.ToString());

    private void CheckFolderOf(EntryPath path)
    {
        if (!_items.TryGetValue(path.Parent, out Node? folder) || folder.Entry.Kind != EntryKind.Directory)
        {
            throw Fault(BackupErrorId.RestoreItemFailed, path);
        }

        if (folder.IsFinished)
        {
            _violations.Add($"'{path}' was made after its folder was finished");
        }
    }

    private void Place(ManifestEntry entry, Node item, bool replace)
    {
        lock (_gate)
        {
            CheckFolderOf(entry.Path);
            if (_items.TryGetValue(entry.Path, out Node? found) && (!replace || found.Entry.Kind == EntryKind.Directory))
            {
                throw Fault(BackupErrorId.RestoreItemExists, entry.Path);
            }

            _items[entry.Path] = item;
        }
    }

    internal sealed class Node(ManifestEntry entry)
    {
        public ManifestEntry Entry { get; set; } = entry;

        public byte[] Content { get; init; } = [];

        /// <summary>Its long named streams that are complete.</summary>
        public ConcurrentDictionary<string, SparseContent> Streams { get; init; } = [];

        public bool IsFinished { get; set; }

        public bool WasThere { get; set; }

        public static Node Folder(EntryPath path) =>
            new(new ManifestEntry { Path = path, Kind = EntryKind.Directory, Metadata = new EntryMetadata { Mode = IRestoreTarget.UnfinishedMode } });
    }

    private sealed class MemoryFile(MemoryTarget target, ManifestEntry entry) : IRestoreFile
    {
        private readonly byte[] _content = new byte[entry.Size];
        private readonly bool[] _written = new bool[entry.Size];
        private readonly ConcurrentDictionary<string, SparseContent> _streams = [];
        private bool _disposed;

        public void Write(long offset, ReadOnlySpan<byte> content)
        {
            target.BeforeWrite?.Invoke(entry.Path);
            Assert.False(_disposed);
            content.CopyTo(_content.AsSpan((int)offset));
            if (_written.AsSpan((int)offset, content.Length).Contains(true))
            {
                lock (target._gate)
                {
                    target._violations.Add($"'{entry.Path}' was written twice at {offset}");
                }
            }

            _written.AsSpan((int)offset, content.Length).Fill(true);
        }

        public void CopyFrom(ManifestEntry existing, long offset, long length)
        {
            byte[] content = new byte[length];
            Write(offset, content.AsSpan(0, target.Read(existing, offset, content)));
        }

        public void Complete(bool replace, bool freeze, Action<BackupException> reportMetadata) =>
            target.Place(entry, new Node(entry) { Content = target.OnComplete?.Invoke(entry.Path, _content) ?? _content, Streams = _streams }, replace);

        public IRestoreStream CreateStream(ReadOnlyMemory<byte> name, long length) =>
            new MemoryRestoreStream(name, length, _streams, () => target.BeforeStreamWrite?.Invoke(entry.Path), content => target.OnStreamComplete(entry.Path, content));

        public void Dispose()
        {
            if (!_disposed)
            {
                _disposed = true;
                Interlocked.Decrement(ref target._open);
            }
        }
    }
}
