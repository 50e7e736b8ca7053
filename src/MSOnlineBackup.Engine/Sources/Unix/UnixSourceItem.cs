using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>The item that a walk is at. One object for the whole walk; what it yields is immutable.</summary>
internal sealed class UnixSourceItem(UnixSystem system, UnixSourceTree tree) : SourceItem
{
    // The most that Linux lists of names, and the longest value it keeps.
    private const int AttributeRoom = 64 << 10;

    private static readonly EntryMetadata _unknown = new();

    private ManifestEntry? _entry;
    private BackupException? _failure;
    private string? _note;
    private bool _isCrossed;
    private BackupException? _trouble;
    private List<BackupException>? _faults;
    private List<SourceStream>? _streams;
    private UnixStat _stat;
    private int _at;
    private int _folder;
    private int _file = -1;
    private UnixStat _fileStat;
    private byte[]? _names;
    private byte[]? _value;

    public override ManifestEntry Entry => _entry!;

    public override BackupException? Failure => _failure;

    public override string? Note => _note;

    public override BackupException? Trouble => _trouble;

    public override bool IsEntered => _folder >= 0;

    public override bool IsCrossedMountPoint => _isCrossed;

    public override IReadOnlyList<BackupException> AttributeFaults => _faults ?? [];

    public override IReadOnlyList<SourceStream> LongStreams => _streams ?? [];

    private ReadOnlySpan<byte> Name => Entry.Path.IsRoot ? tree.RootName : Entry.Path.Name;

    /// <summary>Moves to an item that was statted.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="stat">What the stat told.</param>
    /// <param name="at">The handle of the folder that holds it.</param>
    /// <param name="folder">The handle of the item itself, where it is a folder that is entered; otherwise -1.</param>
    /// <param name="failure">Why its listing failed.</param>
    /// <param name="note">What is to be told of it.</param>
    /// <param name="isCrossed">Whether another file system is mounted here, and is entered.</param>
    public void MoveTo(EntryPath path, in UnixStat stat, int at, int folder, BackupException? failure, string? note = null, bool isCrossed = false)
    {
        Release();
        _note = note;
        _isCrossed = isCrossed;
        _trouble = null;
        _entry = tree.Live(stat).ToEntry(path);
        _stat = stat;
        _at = at;
        _folder = folder;
        _failure = failure;
    }

    /// <summary>Moves to an item of which nothing is known but that it is there.</summary>
    public void MoveTo(EntryPath path, BackupException failure)
    {
        Release();
        _note = null;
        _isCrossed = false;
        _trouble = null;
        _entry = new ManifestEntry { Path = path, Kind = EntryKind.File, Metadata = _unknown };
        _stat = default;
        _at = -1;
        _folder = -1;
        _failure = failure;
    }

    /// <summary>Notes a trouble that does not keep the item from being taken.</summary>
    public void Tell(BackupException? trouble) => _trouble = trouble;

    /// <summary>Closes what the item opened and nobody took.</summary>
    public void Release()
    {
        if (_file >= 0)
        {
            UnixSystem.Close(_file);
            _file = -1;
        }
    }

    public override ManifestEntry ReadDetails()
    {
        ThrowIfUnknown();
        _faults = null;
        _streams = null;
        if (_at < 0)
        {
            return Entry;
        }

        int handle = _folder;
        if (Entry.Kind == EntryKind.File)
        {
            // Kept for Open, which comes next. Where the content may not be read, the rest still can.
            int result = TryOpenFile();
            if (result < 0 && result != -Errno.AccessDenied && result != -Errno.NotPermitted)
            {
                throw UnixSourceError.OfItem(result, tree.FullPath(Entry.Path));
            }

            handle = _file;
        }

        var attributes = new List<EntryAttribute>();
        var node = new UnixNode(handle, _at, Name);
        ReadExtendedAttributes(node, attributes);
        if (node.IsOpen && system.GetFlags(handle, _stat, out uint flags) >= 0 && flags != 0)
        {
            byte[] value = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(value, flags);
            attributes.Add(new EntryAttribute(AttributeTag.InodeFlags, system.FlagsName.ToArray(), value));
        }

        if (_isCrossed)
        {
            attributes.Add(new EntryAttribute(AttributeTag.MountPoint, default, default));
        }

        attributes.Sort(static (a, b) =>
        {
            int order = a.Tag.CompareTo(b.Tag);
            return order != 0 ? order : a.Name.Span.SequenceCompareTo(b.Name.Span);
        });
        return Entry with
        {
            Attributes = attributes,
            LinkTarget = Entry.Kind == EntryKind.SymbolicLink ? ReadLinkTarget() : default,
        };
    }

    public override ISourceFile Open()
    {
        ThrowIfUnknown();
        if (Entry.Kind != EntryKind.File)
        {
            throw UnixSourceError.Replaced(tree.FullPath(Entry.Path));
        }

        int result = TryOpenFile();
        if (result < 0)
        {
            throw UnixSourceError.OfItem(result, tree.FullPath(Entry.Path));
        }

        var file = new UnixSourceFile(system, tree, Entry.Path, _file, _fileStat);
        _file = -1;
        return file;
    }

    public override ISourceFile OpenStream(SourceStream stream)
    {
        int handle = system.OpenFile(_at, Name);
        return handle >= 0 ? new UnixSourceStream(system, tree, Entry.Path, handle, stream) : throw UnixSourceError.OfItem(handle, tree.FullPath(Entry.Path));
    }

    private void ThrowIfUnknown()
    {
        if ((_at < 0 && _failure is not null) || _stat.IsPlaceholder)
        {
            throw _failure ?? SourcePlaceholder.Failure(tree.FullPath(Entry.Path));
        }
    }

    private int TryOpenFile()
    {
        if (_file >= 0)
        {
            return 0;
        }

        int handle = system.OpenFile(_at, Name);
        if (handle < 0)
        {
            return handle;
        }

        // What was a file a moment ago may be a pipe now, or a device that must not be read.
        int result = system.Stat(handle, out _fileStat);
        if (result < 0 || _fileStat.Kind != EntryKind.File)
        {
            UnixSystem.Close(handle);
            return result < 0 ? result : -Errno.NoSuchDevice;
        }

        _file = handle;
        return 0;
    }

    private void ReadExtendedAttributes(UnixNode node, List<EntryAttribute> attributes)
    {
        Span<byte> names = _names ??= GC.AllocateUninitializedArray<byte>(AttributeRoom);
        int length = system.ListAttributes(node, names);
        if (length < 0 && !MeansNone(length))
        {
            NoteUnread(default, length, attributes);
        }

        if (length <= 0)
        {
            return;
        }

        foreach (Range range in ((ReadOnlySpan<byte>)names[..length]).Split((byte)0))
        {
            ReadOnlySpan<byte> name = names[range];
            if (!name.IsEmpty)
            {
                ReadExtendedAttribute(node, name, attributes);
            }
        }
    }

    private void ReadExtendedAttribute(UnixNode node, ReadOnlySpan<byte> name, List<EntryAttribute> attributes)
    {
        int room = system.IsStream(name) ? ManifestFormat.MaxInlineStreamBytes : AttributeRoom;
        byte[] value = _value = _value is { } last && last.Length >= room ? last : GC.AllocateUninitializedArray<byte>(room);
        if (system.IsStream(name) && system.GetAttribute(node, name, []) is > ManifestFormat.MaxInlineStreamBytes and int size)
        {
            // Asked for with less room than it needs, a stream may give its beginning only.
            (_streams ??= []).Add(new SourceStream(name.ToArray(), size));
            return;
        }

        int length = system.GetAttribute(node, name, value);
        while (length == -Errno.Range && value.Length < ManifestFormat.MaxInlineStreamBytes)
        {
            // Only macOS has longer values: resource forks.
            value = _value = GC.AllocateUninitializedArray<byte>(value.Length * 4);
            length = system.GetAttribute(node, name, value);
        }

        if (length >= 0)
        {
            AttributeTag tag = system.IsStream(name) ? AttributeTag.NamedStream : AttributeTag.ExtendedAttribute;
            attributes.Add(new EntryAttribute(tag, name.ToArray(), value.AsMemory(0, length).ToArray()));
        }
        else if (!MeansNone(length))
        {
            // Otherwise it is gone since it was listed.
            NoteUnread(name, length, attributes);
        }
    }

    private void NoteUnread(ReadOnlySpan<byte> name, int result, List<EntryAttribute> attributes)
    {
        attributes.Add(new EntryAttribute(AttributeTag.Unread, name.ToArray(), default));
        (_faults ??= []).Add(UnixSourceError.OfAttribute(result, name, tree.FullPath(Entry.Path)));
    }

    private static bool MeansNone(int result) =>
        result == -Errno.NotSupported || result == -Errno.NoAttribute || result == -Errno.NotImplemented;

    private byte[] ReadLinkTarget()
    {
        // 4,095 bytes on Linux, 1,023 on macOS.
        Span<byte> target = stackalloc byte[4096];
        int length = UnixSystem.ReadLink(_at, Name, target);
        if (length == -Errno.Invalid)
        {
            throw UnixSourceError.Replaced(tree.FullPath(Entry.Path));
        }

        return length >= 0 ? target[..length].ToArray() : throw UnixSourceError.OfItem(length, tree.FullPath(Entry.Path));
    }
}
