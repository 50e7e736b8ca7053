using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>The calls of macOS 13 and later. On Intel the calls that know 64-bit inodes carry a suffix.</summary>
[SkipLocalsInit]
internal sealed unsafe partial class MacSystem : UnixSystem
{
    private const int ReadWrite = 0x2;
    private const int NonBlocking = 0x4;
    private const int NoFollowLink = 0x100;
    private const int Create = 0x200;
    private const int Exclusive = 0x800;
    private const int DirectoryOnly = 0x10_0000;
    private const int LinkItself = 0x20_0000;
    private const int CloseOnExec = 0x100_0000;
    private const uint RenameExclusive = 0x4;

    // UF_NODUMP, UF_HIDDEN; UF_IMMUTABLE, UF_APPEND, SF_IMMUTABLE, SF_APPEND.
    // F_FULLFSYNC.
    private const int FullSynchronize = 51;

    private const uint QuietFlags = 0x1 | 0x8000;
    private const uint LockingFlags = 0x2 | 0x4 | 0x2_0000 | 0x4_0000;

    private static readonly bool _isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public override ReadOnlySpan<byte> FlagsName => "bsd"u8;

    protected override int NoFollow => 0x20;

    protected override int RemoveFolder => 0x80;

    protected override long OmitTime => -2;

    protected override (int Data, int Hole) SeekKinds => (4, 3);

    public override int OpenDirectory(int at, ReadOnlySpan<byte> name, bool followLink = false) =>
        Open(at, name, DirectoryOnly | NonBlocking | (followLink ? 0 : NoFollowLink), 0);

    public override int OpenBase(int at, ReadOnlySpan<byte> name, bool followLink = false) => OpenDirectory(at, name, followLink);

    public override int OpenFile(int at, ReadOnlySpan<byte> name) => Open(at, name, NonBlocking | NoFollowLink, 0);

    public override int CreateFile(int at, ReadOnlySpan<byte> name, uint mode) =>
        Open(at, name, ReadWrite | Create | Exclusive | NoFollowLink, mode);

    public override int Stat(int at, ReadOnlySpan<byte> name, out UnixStat stat)
    {
        FileStatus status;
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            int result = (int)Result(_isArm ? StatAtArm(at, path, &status, NoFollow) : StatAt(at, path, &status, NoFollow));
            stat = result < 0 ? default : status.ToStat();
            return result;
        }
    }

    public override int Stat(int handle, out UnixStat stat)
    {
        FileStatus status;
        int result = (int)Result(_isArm ? StatHandleArm(handle, &status) : StatHandle(handle, &status));
        stat = result < 0 ? default : status.ToStat();
        return result;
    }

    public override int List(int directory, DirectoryListing listing)
    {
        listing.Clear();
        int copy = (int)Result(Duplicate(directory));
        if (copy < 0)
        {
            return copy;
        }

        nint stream = _isArm ? OpenStreamArm(copy) : OpenStream(copy);
        if (stream == 0)
        {
            int error = -Marshal.GetLastPInvokeError();
            Close(copy);
            return error;
        }

        try
        {
            while (true)
            {
                byte* record = _isArm ? ReadStreamArm(stream) : ReadStream(stream);
                if (record is null)
                {
                    int error = Marshal.GetLastPInvokeError();
                    listing.Sort();
                    return -error;
                }

                if (!listing.TryAdd(NameIn(new ReadOnlySpan<byte>(record, RecordLength(record)))))
                {
                    return -Errno.Overflow;
                }
            }
        }
        finally
        {
            _ = CloseStream(stream);
        }
    }

    /// <summary>The name in a struct dirent: inode (8), position (8), length of the record (2), of the name (2), type (1), name.</summary>
    internal static ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> record) =>
        record.Slice(21, BinaryPrimitives.ReadUInt16LittleEndian(record[18..]));

    public override string? FileSystemOf(int handle, in UnixStat stat)
    {
        Span<byte> status = stackalloc byte[4096];
        return ReadFileSystem(handle, status) == 0 ? FileSystemName(status) : null;
    }

    /// <summary>Reads the struct statfs of what is open, which has 2,168 bytes.</summary>
    public int ReadFileSystem(int handle, Span<byte> status)
    {
        fixed (byte* first = status)
        {
            return _isArm ? FileSystemStatArm(handle, first) : FileSystemStat(handle, first);
        }
    }

    /// <summary>The struct statfs, of 2,168 bytes, of each file system that is mounted, without asking those that may not answer.</summary>
    public IReadOnlyList<byte[]> ReadFileSystems()
    {
        const int NoWait = 2;
        const int Length = 2168;
        int count = _isArm ? FileSystemsArm(null, 0, NoWait) : FileSystems(null, 0, NoWait);
        if (count <= 0)
        {
            return [];
        }

        // Some may have been mounted meanwhile.
        byte[] table = new byte[(count + 16) * Length];
        fixed (byte* first = table)
        {
            count = _isArm ? FileSystemsArm(first, table.Length, NoWait) : FileSystems(first, table.Length, NoWait);
        }

        return [.. Enumerable.Range(0, Math.Max(count, 0)).Select(i => table[(i * Length)..((i + 1) * Length)])];
    }

    /// <summary>The path of what is open, without firm links: the one on the volume that it lies on. Null where that is not told.</summary>
    public byte[]? RealPathOf(int handle)
    {
        const int PathWithoutFirmLinks = 102;
        const int Room = 1024;
        byte[] path = new byte[Room];
        fixed (byte* text = path)
        {
            // As with openat: the argument stands where either processor looks for it.
            return ControlPath(handle, PathWithoutFirmLinks, (nint)text, 0, 0, 0, 0, 0, (nint)text) < 0 ? null : path[..Math.Max(Array.IndexOf(path, (byte)0), 0)];
        }
    }

    /// <summary>The name in a struct statfs: f_fstypename is 16 bytes at 72.</summary>
    internal static string FileSystemName(ReadOnlySpan<byte> status)
    {
        ReadOnlySpan<byte> name = status.Slice(72, 16);
        int end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }

    public override bool IsPseudoFileSystem(string? name) => name is "devfs" or "autofs" or "fdesc";

    public override void ExpectSequentialRead(int handle)
    {
        // macOS sees for itself that a file is read in order, and reads ahead.
    }

    public override int ListAttributes(UnixNode node, Span<byte> names)
    {
        int handle = HandleOf(node);
        if (handle < 0)
        {
            return handle;
        }

        fixed (byte* buffer = names)
        {
            return Done(node, handle, Result(ListHandleAttributes(handle, buffer, names.Length, 0)));
        }
    }

    public override int GetAttribute(UnixNode node, ReadOnlySpan<byte> name, Span<byte> value)
    {
        int handle = HandleOf(node);
        if (handle < 0)
        {
            return handle;
        }

        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = value)
        {
            return Done(node, handle, Result(GetHandleAttribute(handle, attribute, buffer, value.Length, 0, 0)));
        }
    }

    public override int SetAttribute(UnixNode node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int handle = HandleOf(node);
        if (handle < 0)
        {
            return handle;
        }

        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = value)
        {
            return Done(node, handle, Result(SetHandleAttribute(handle, attribute, buffer, value.Length, 0, 0)));
        }
    }

    public override int RemoveAttribute(UnixNode node, ReadOnlySpan<byte> name)
    {
        int handle = HandleOf(node);
        if (handle < 0)
        {
            return handle;
        }

        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]))
        {
            return Done(node, handle, Result(RemoveHandleAttribute(handle, attribute, 0)));
        }
    }

    public override bool IsStream(ReadOnlySpan<byte> name) => name.SequenceEqual("com.apple.ResourceFork"u8);

    public override int ReadStream(int handle, ReadOnlySpan<byte> name, long offset, Span<byte> destination)
    {
        if (offset > uint.MaxValue)
        {
            return -Errno.Range;
        }

        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = destination)
        {
            return (int)Result(GetHandleAttribute(handle, attribute, buffer, destination.Length, (uint)offset, 0));
        }
    }

    public override int WriteStream(int handle, ReadOnlySpan<byte> name, long offset, ReadOnlySpan<byte> content)
    {
        if (offset > uint.MaxValue)
        {
            return -Errno.Range;
        }

        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = content)
        {
            return (int)Result(SetHandleAttribute(handle, attribute, buffer, content.Length, (uint)offset, 0));
        }
    }

    public override int GetFlags(int handle, in UnixStat stat, out uint flags)
    {
        flags = stat.Flags & (QuietFlags | LockingFlags);
        return 0;
    }

    public override int SetFlags(int handle, uint flags)
    {
        const uint Ours = QuietFlags | LockingFlags;
        int result = Stat(handle, out UnixStat stat);
        uint wanted = (stat.Flags & ~Ours) | (flags & Ours);
        return result < 0 || wanted == stat.Flags ? result : (int)Result(ChangeFlags(handle, wanted));
    }

    public override bool MayWriteIn(int folder)
    {
        const int WriteAndSearch = 3;
        const int AsItActs = 0x10;
        fixed (byte* path = "."u8)
        {
            return Access(folder, path, WriteAndSearch, AsItActs) >= 0;
        }
    }

    public override int CreateNameless(int at, uint mode) => -Errno.NotSupported;

    public override int GiveName(int handle, int at, ReadOnlySpan<byte> name) => -Errno.NotSupported;

    public override long CopyRange(int from, long fromOffset, int to, long toOffset, long length) => -Errno.NotSupported;

    // What SynchronizeFile has handed to the drive, the drive is told to keep.
    public override int Synchronize(int folder)
    {
        int result = (int)Result(Control(folder, FullSynchronize));
        return result == -Errno.NotSupported || result == -Errno.NotTerminal || result == -Errno.Invalid ? SynchronizeFile(folder) : result;
    }

    public override int SynchronizeFile(int handle) => (int)Result(Libc.Synchronize(handle));

    public override uint FreezingFlags(uint flags) => flags & LockingFlags;

    public override int RenameNew(int at, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        fixed (byte* source = Terminate(from, stackalloc byte[NameRoom]), path = Terminate(to, stackalloc byte[NameRoom]))
        {
            return (int)Result(RenameWithFlags(at, source, at, path, RenameExclusive));
        }
    }

    public override int ChangeMode(int at, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(ChangeModeAt(at, path, mode, NoFollow));
        }
    }

    public override int MakeNode(int at, ReadOnlySpan<byte> name, uint mode, ulong device)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (mode & 0xF000) == UnixStat.TypeOf(EntryKind.Fifo)
                ? (int)Result(MakePipe(at, path, mode & 0xFFF))
                : (int)Result(MakeNode(at, path, mode, unchecked((int)(((uint)(device >> 32) << 24) | ((uint)device & 0xFF_FFFF)))));
        }
    }

    private static int Open(int at, ReadOnlySpan<byte> name, int flags, uint mode)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            int handle;
            do
            {
                // What follows "..." is passed in registers on Intel and on the stack on ARM: the mode stands in both places.
                handle = (int)Result(OpenAt(at, path, flags | CloseOnExec, (nint)mode, 0, 0, 0, 0, (nint)mode));
            }
            while (handle == -Errno.Interrupted);
            return handle;
        }
    }

    // Attributes are reached by a handle. A link has one of its own; a device must not be opened for them.
    private int HandleOf(UnixNode node)
    {
        if (node.IsOpen)
        {
            return node.Handle;
        }

        int result = Stat(node.At, node.Name, out UnixStat stat);
        return result < 0 ? result
            : stat.Kind is EntryKind.SymbolicLink or EntryKind.Directory ? Open(node.At, node.Name, LinkItself, 0)
            : -Errno.NotSupported;
    }

    private static int Done(UnixNode node, int handle, long result)
    {
        if (!node.IsOpen)
        {
            Close(handle);
        }

        return (int)result;
    }

    private static int RecordLength(byte* record) => *(ushort*)(record + 16);

    [LibraryImport(Libc.Library, EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(int at, byte* name, int flags, nint mode, nint a, nint b, nint c, nint d, nint modeOnStack);

    [LibraryImport(Libc.Library, EntryPoint = "fstatat$INODE64", SetLastError = true)]
    private static partial int StatAt(int at, byte* name, FileStatus* status, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "fstatat", SetLastError = true)]
    private static partial int StatAtArm(int at, byte* name, FileStatus* status, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int StatHandle(int handle, FileStatus* status);

    [LibraryImport(Libc.Library, EntryPoint = "fstat", SetLastError = true)]
    private static partial int StatHandleArm(int handle, FileStatus* status);

    [LibraryImport(Libc.Library, EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int handle);

    [LibraryImport(Libc.Library, EntryPoint = "fdopendir$INODE64", SetLastError = true)]
    private static partial nint OpenStream(int handle);

    [LibraryImport(Libc.Library, EntryPoint = "fdopendir", SetLastError = true)]
    private static partial nint OpenStreamArm(int handle);

    [LibraryImport(Libc.Library, EntryPoint = "readdir$INODE64", SetLastError = true)]
    private static partial byte* ReadStream(nint stream);

    [LibraryImport(Libc.Library, EntryPoint = "readdir", SetLastError = true)]
    private static partial byte* ReadStreamArm(nint stream);

    [LibraryImport(Libc.Library, EntryPoint = "faccessat", SetLastError = true)]
    private static partial int Access(int at, byte* name, int mode, int flags);

    // Without a third argument: the way of those that vary differs between processors.
    [LibraryImport(Libc.Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int handle, int request);

    [LibraryImport(Libc.Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlPath(int handle, int request, nint path, nint a, nint b, nint c, nint d, nint e, nint pathOnStack);

    [LibraryImport(Libc.Library, EntryPoint = "getfsstat$INODE64", SetLastError = true)]
    private static partial int FileSystems(byte* table, int size, int mode);

    [LibraryImport(Libc.Library, EntryPoint = "getfsstat", SetLastError = true)]
    private static partial int FileSystemsArm(byte* table, int size, int mode);

    [LibraryImport(Libc.Library, EntryPoint = "closedir")]
    private static partial int CloseStream(nint stream);

    [LibraryImport(Libc.Library, EntryPoint = "fstatfs$INODE64")]
    private static partial int FileSystemStat(int handle, byte* status);

    [LibraryImport(Libc.Library, EntryPoint = "fstatfs")]
    private static partial int FileSystemStatArm(int handle, byte* status);

    [LibraryImport(Libc.Library, EntryPoint = "flistxattr", SetLastError = true)]
    private static partial nint ListHandleAttributes(int handle, byte* names, nint size, int options);

    [LibraryImport(Libc.Library, EntryPoint = "fgetxattr", SetLastError = true)]
    private static partial nint GetHandleAttribute(int handle, byte* name, byte* value, nint size, uint position, int options);

    [LibraryImport(Libc.Library, EntryPoint = "fsetxattr", SetLastError = true)]
    private static partial int SetHandleAttribute(int handle, byte* name, byte* value, nint size, uint position, int options);

    [LibraryImport(Libc.Library, EntryPoint = "fremovexattr", SetLastError = true)]
    private static partial int RemoveHandleAttribute(int handle, byte* name, int options);

    [LibraryImport(Libc.Library, EntryPoint = "fchflags", SetLastError = true)]
    private static partial int ChangeFlags(int handle, uint flags);

    [LibraryImport(Libc.Library, EntryPoint = "renameatx_np", SetLastError = true)]
    private static partial int RenameWithFlags(int fromAt, byte* from, int toAt, byte* to, uint flags);

    [LibraryImport(Libc.Library, EntryPoint = "fchmodat", SetLastError = true)]
    private static partial int ChangeModeAt(int at, byte* name, uint mode, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "mkfifoat", SetLastError = true)]
    private static partial int MakePipe(int at, byte* name, uint mode);

    [LibraryImport(Libc.Library, EntryPoint = "mknodat", SetLastError = true)]
    private static partial int MakeNode(int at, byte* name, uint mode, int device);

    /// <summary>struct stat with 64-bit inodes: 144 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 144)]
    internal struct FileStatus
    {
        public int Device;
        public ushort Mode;
        public ushort LinkCount;
        public ulong Inode;
        public uint UserId;
        public uint GroupId;
        public int DeviceNumber;
        public int Spare;
        public Libc.TimeSpecification Accessed;
        public Libc.TimeSpecification Modified;
        public Libc.TimeSpecification Changed;
        public Libc.TimeSpecification Born;
        public long Size;
        public long Blocks;
        public int BlockSize;
        public uint Flags;

        public readonly UnixStat ToStat() => new()
        {
            Mode = Mode,
            UserId = UserId,
            GroupId = GroupId,
            LinkCount = LinkCount,
            Device = ToMajorAndMinor(Device),
            DeviceNumber = ToMajorAndMinor(DeviceNumber),
            Inode = Inode,
            Size = Size,
            Blocks = Blocks,
            Modified = new ItemTime(Modified.Seconds, Modified.Nanoseconds),
            Changed = new ItemTime(Changed.Seconds, Changed.Nanoseconds),
            Created = new ItemTime(Born.Seconds, Born.Nanoseconds),
            Flags = Flags,
        };

        private static ulong ToMajorAndMinor(int device)
        {
            uint bits = unchecked((uint)device);
            return ((ulong)(bits >> 24) << 32) | (bits & 0xFF_FFFF);
        }
    }
}
