using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>
/// Handles of folders below the target, opened component by component from the target's own and never through a link.
/// The most recently used are kept open. For several threads.
/// </summary>
internal sealed class TargetFolders : IDisposable
{
    private readonly UnixSystem _system;
    private readonly byte[] _rootPath;
    private readonly uint _newMode;
    private readonly int _maxKept;
    private readonly UnixStat? _vault;
    private readonly Lock _lock = new();
    private readonly Dictionary<byte[], Folder> _byPath = new(PathComparer.Instance);
    private readonly Dictionary<byte[], Folder>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    // Most recently used first.
    private readonly LinkedList<Folder> _used = new();
    private readonly Folder _root;

    // One folder on each file system that was met, open since then: a system tells of what it could not write to those who had something open when it failed.
    private readonly Dictionary<ulong, (byte[] Path, int Handle)> _media = [];

    /// <summary>Takes over the target's handle.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="rootPath">The target's full path, raw.</param>
    /// <param name="rootHandle">The target.</param>
    /// <param name="newMode">The mode of folders that are made.</param>
    /// <param name="maxKept">How many are kept open that nobody uses.</param>
    /// <param name="vault">The folder that is not entered; null for none.</param>
    public TargetFolders(UnixSystem system, byte[] rootPath, int rootHandle, uint newMode, int maxKept, UnixStat? vault)
    {
        _system = system;
        _rootPath = rootPath;
        _newMode = newMode;
        _maxKept = maxKept;
        _vault = vault;
        _lookup = _byPath.GetAlternateLookup<ReadOnlySpan<byte>>();
        _root = new Folder([], rootHandle) { Users = 1 };
        Meet([], rootHandle);
    }

    /// <summary>
    /// Folders by their paths and open handles, one on each file system that was entered. A handle that could not be had is an error number below 0.
    /// </summary>
    public IReadOnlyCollection<(byte[] Path, int Handle)> OnePerMedium()
    {
        lock (_lock)
        {
            return [.. _media.Values];
        }
    }

    /// <summary>The full path of something below the target, raw, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(ReadOnlySpan<byte> path) =>
        path.IsEmpty ? _rootPath
        : _rootPath.Length == 1 ? [.. _rootPath, .. path]
        : [.. _rootPath, (byte)'/', .. path];

    /// <summary>The full path of an item, raw, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => FullPath(path.Bytes);

    /// <summary>The folder at a path, to be disposed after use.</summary>
    /// <param name="path">Its path below the target.</param>
    /// <param name="create">Whether it is created, with its parents, where it is missing.</param>
    /// <returns>Null where it is missing and not to be created.</returns>
    /// <exception cref="BackupException">RestoreTargetInvalid for a link in the way, RestoreItemExists for something else,
    /// RestoreTargetFull, RestoreTargetUnwritable, RestoreItemFailed.</exception>
    public Lease? Acquire(ReadOnlySpan<byte> path, bool create)
    {
        Folder current = AcquireNearest(path);
        while (current.Path.Length < path.Length)
        {
            int start = current.Path.Length == 0 ? 0 : current.Path.Length + 1;
            int length = path[start..].IndexOf((byte)'/');
            ReadOnlySpan<byte> next = length < 0 ? path : path[..(start + length)];
            Folder? child;
            try
            {
                child = OpenChild(current, next, next[start..], create);
            }
            finally
            {
                Release(current);
            }

            if (child is null)
            {
                return null;
            }

            current = child;
        }

        return new Lease(this, current);
    }

    /// <summary>As <see cref="Acquire"/>, of the folder that an item is.</summary>
    public Lease? AcquireFolder(EntryPath path, bool create)
    {
        Check(path);
        return Acquire(path.Bytes, create);
    }

    /// <summary>As <see cref="Acquire"/>, of the folder that an item is in.</summary>
    public Lease? AcquireParent(EntryPath path, bool create)
    {
        Check(path);
        int slash = path.Bytes.LastIndexOf((byte)'/');
        return Acquire(slash < 0 ? default : path.Bytes[..slash], create);
    }

    /// <summary>The name by which an item is reached from <see cref="AcquireParent"/>.</summary>
    public static ReadOnlySpan<byte> NameOf(EntryPath path) => path.IsRoot ? "."u8 : path.Name;

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (Folder folder in _used)
            {
                UnixSystem.Close(folder.Handle);
            }

            foreach ((_, int handle) in _media.Values.Where(medium => medium.Handle >= 0))
            {
                UnixSystem.Close(handle);
            }

            _media.Clear();
            _used.Clear();
            _byPath.Clear();
            if (_root.Users > 0)
            {
                _root.Users = 0;
                UnixSystem.Close(_root.Handle);
            }
        }
    }

    // A recovery point could be forged: whatever its paths say, nothing is written outside.
    private void Check(EntryPath path)
    {
        if (!EntryPath.IsValid(path.Bytes))
        {
            throw UnixRestoreError.OfItem(-Errno.Invalid, FullPath(path));
        }
    }

    // The folder itself, or the closest one above it that is open.
    private Folder AcquireNearest(ReadOnlySpan<byte> path)
    {
        lock (_lock)
        {
            while (!path.IsEmpty)
            {
                if (_lookup.TryGetValue(path, out Folder? folder))
                {
                    folder.Users++;
                    if (_used.First != folder.Node)
                    {
                        _used.Remove(folder.Node);
                        _used.AddFirst(folder.Node);
                    }

                    return folder;
                }

                int slash = path.LastIndexOf((byte)'/');
                path = slash < 0 ? default : path[..slash];
            }

            _root.Users++;
            return _root;
        }
    }

    private Folder? OpenChild(Folder parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, bool create)
    {
        int handle = _system.OpenBase(parent.Handle, name);
        if (handle == -Errno.NotFound)
        {
            if (!create)
            {
                return null;
            }

            int made = UnixSystem.MakeDirectory(parent.Handle, name, _newMode);
            handle = made < 0 && made != -Errno.Exists ? made : _system.OpenBase(parent.Handle, name);
        }
        else if (handle >= 0 && !Meet(path, handle))
        {
            UnixSystem.Close(handle);
            throw UnixRestoreError.IsVault(FullPath(path));
        }

        if (handle == -Errno.Loop || handle == -Errno.NotDirectory)
        {
            throw _system.Stat(parent.Handle, name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.SymbolicLink
                ? UnixRestoreError.LinkInTheWay(FullPath(path))
                : UnixRestoreError.Exists(FullPath(path), isFolder: false);
        }

        return handle >= 0 ? Keep(path.ToArray(), handle) : throw UnixRestoreError.OfItem(handle, FullPath(path));
    }

    // False for the vault. What cannot be told of a folder, its use will tell.
    private bool Meet(ReadOnlySpan<byte> path, int handle)
    {
        if (_system.Stat(handle, out UnixStat stat) < 0)
        {
            return true;
        }

        lock (_lock)
        {
            ref (byte[] Path, int Handle) medium = ref CollectionsMarshal.GetValueRefOrAddDefault(_media, stat.Device, out bool known);
            if (!known)
            {
                medium = (path.ToArray(), _system.OpenDirectory(handle, "."u8));
            }
        }

        return _vault is not { } vault || !stat.IsSameInode(vault);
    }

    private Folder Keep(byte[] path, int handle)
    {
        lock (_lock)
        {
            if (_byPath.TryGetValue(path, out Folder? other))
            {
                // Another thread was faster.
                UnixSystem.Close(handle);
                other.Users++;
                return other;
            }

            var folder = new Folder(path, handle) { Users = 1 };
            _byPath.Add(path, folder);
            _used.AddFirst(folder.Node);
            for (LinkedListNode<Folder>? node = _used.Last; node is not null && _used.Count > _maxKept;)
            {
                LinkedListNode<Folder>? previous = node.Previous;
                if (node.Value.Users == 0)
                {
                    _used.Remove(node);
                    _byPath.Remove(node.Value.Path);
                    UnixSystem.Close(node.Value.Handle);
                }

                node = previous;
            }

            return folder;
        }
    }

    private void Release(Folder folder)
    {
        lock (_lock)
        {
            folder.Users--;
        }
    }

    /// <summary>A folder that stays open until this is disposed.</summary>
    internal readonly struct Lease(TargetFolders owner, Folder folder) : IDisposable
    {
        public int Handle => folder.Handle;

        /// <summary>Whether what is created here gets an access list from the folder.</summary>
        public bool HandsOnAccessList(UnixMetadata metadata) =>
            folder.HandsOnAccessList ??= metadata.HandsOnAccessList(folder.Handle);

        public void Dispose() => owner.Release(folder);
    }

    internal sealed class Folder
    {
        public Folder(byte[] path, int handle)
        {
            Path = path;
            Handle = handle;
            Node = new LinkedListNode<Folder>(this);
        }

        public byte[] Path { get; }

        public int Handle { get; }

        public LinkedListNode<Folder> Node { get; }

        public int Users { get; set; }

        public bool? HandsOnAccessList { get; set; }
    }

    private sealed class PathComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static PathComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
