using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>The calls of Linux 4.11 and later on 64-bit processors.</summary>
[SkipLocalsInit]
internal unsafe partial class LinuxSystem : UnixSystem
{
    private const int ReadWrite = 0x2;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int KeepAccessTime = 0x4_0000;
    private const int CloseOnExec = 0x8_0000;
    private const int PathOnly = 0x20_0000;
    private const int Nameless = 0x40_0000;
    private const int FollowLink = 0x400;

    // The one place where the numbers of open(2) depend on the processor.
    private static readonly bool _isArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    private static readonly int _directory = _isArm ? 0x4000 : 0x1_0000;
    private static readonly int _noFollowLink = _isArm ? 0x8000 : 0x2_0000;

    private const uint StatxMask = 0x7FF | StatxBirth | StatxMountId;
    private const uint StatxBirth = 0x800;
    private const uint StatxMountId = 0x1000;
    private const int AtNoFollow = 0x100;
    private const int AtNoAutomount = 0x800;
    private const int AtEmptyPath = 0x1000;

    private const int ListBuffer = 64 << 10;
    private const int RenameNoReplace = 1;
    private const ulong GetFlagsRequest = 0x8008_6601;
    private const ulong SetFlagsRequest = 0x4008_6602;
    private const ulong GetEncryptionPolicyRequest = 0xC009_6616;
    private const ulong GetKeyStatusRequest = 0xC080_661A;
    private const ulong GetDeviceLengthRequest = 0x8008_1272;
    private const uint KeyPresent = 2;
    private const ulong StatxEncrypted = 0x800;

    // FS_COMPR_FL, FS_SYNC_FL, FS_NODUMP_FL, FS_NOATIME_FL, FS_NOCOMP_FL, FS_JOURNAL_DATA_FL, FS_NOTAIL_FL, FS_DIRSYNC_FL, FS_TOPDIR_FL,
    // FS_NOCOW_FL, FS_DAX_FL; FS_IMMUTABLE_FL, FS_APPEND_FL.
    private const uint QuietFlags = 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | 0x80_0000 | 0x200_0000;
    private const uint LockingFlags = 0x10 | 0x20;

    // system.posix_acl_access and the like of links, nodes and unreadable files are reached by a path of /proc.
    private static readonly bool _hasProc = Directory.Exists("/proc/self/fd");

    public override ReadOnlySpan<byte> FlagsName => default;

    protected override int NoFollow => AtNoFollow;

    protected override int RemoveFolder => 0x200;

    protected override long OmitTime => (1 << 30) - 2;

    protected override (int Data, int Hole) SeekKinds => (3, 4);

    public override int OpenDirectory(int at, ReadOnlySpan<byte> name, bool followLink = false) =>
        OpenQuietly(at, name, _directory | NonBlocking | (followLink ? 0 : _noFollowLink));

    public override int OpenBase(int at, ReadOnlySpan<byte> name, bool followLink = false) =>
        Open(at, name, PathOnly | _directory | (followLink ? 0 : _noFollowLink), 0);

    public override int OpenFile(int at, ReadOnlySpan<byte> name) =>
        OpenQuietly(at, name, NonBlocking | _noFollowLink);

    public override int CreateFile(int at, ReadOnlySpan<byte> name, uint mode) =>
        Open(at, name, ReadWrite | Create | Exclusive | _noFollowLink, mode);

    public override int Stat(int at, ReadOnlySpan<byte> name, out UnixStat stat)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return Stat(at, path, AtNoFollow | AtNoAutomount, out stat);
        }
    }

    public override int Stat(int handle, out UnixStat stat)
    {
        byte empty = 0;
        return Stat(handle, &empty, AtEmptyPath, out stat);
    }

    public override int List(int directory, DirectoryListing listing)
    {
        listing.Clear();
        byte* buffer = stackalloc byte[ListBuffer];
        while (true)
        {
            long length = Result(GetDirectoryEntries(directory, buffer, ListBuffer));
            if (length <= 0)
            {
                listing.Sort();
                return (int)length;
            }

            if (!TryParse(new ReadOnlySpan<byte>(buffer, (int)length), listing))
            {
                return -Errno.Overflow;
            }
        }
    }

    /// <summary>Reads linux_dirent64 records: inode (8), offset (8), length of the record (2), type (1), name and NUL.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> records, DirectoryListing listing)
    {
        const int NameAt = 19;
        while (!records.IsEmpty)
        {
            ushort length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
            ReadOnlySpan<byte> name = records[NameAt..length];
            if (!listing.TryAdd(name[..name.IndexOf((byte)0)]))
            {
                return false;
            }

            records = records[length..];
        }

        return true;
    }

    public override string? FileSystemOf(int handle, in UnixStat stat) =>
        LinuxFileSystems.NameOf(handle, stat.MountId);

    public override bool IsPseudoFileSystem(string? name) => LinuxFileSystems.IsPseudo(name);

    public override void ExpectSequentialRead(int handle) => _ = Advise(handle, 0, 0, SequentialAdvice);

    public override int ListAttributes(UnixNode node, Span<byte> names)
    {
        fixed (byte* buffer = names)
        {
            if (node.IsOpen)
            {
                return (int)Result(ListHandleAttributes(node.Handle, buffer, names.Length));
            }

            if (!_hasProc)
            {
                return -Errno.NotSupported;
            }

            fixed (byte* path = PathOf(node, stackalloc byte[NameRoom]))
            {
                return (int)Result(ListLinkAttributes(path, buffer, names.Length));
            }
        }
    }

    public override int GetAttribute(UnixNode node, ReadOnlySpan<byte> name, Span<byte> value)
    {
        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = value)
        {
            if (node.IsOpen)
            {
                return (int)Result(GetHandleAttribute(node.Handle, attribute, buffer, value.Length));
            }

            fixed (byte* path = PathOf(node, stackalloc byte[NameRoom]))
            {
                return (int)Result(GetLinkAttribute(path, attribute, buffer, value.Length));
            }
        }
    }

    public override int SetAttribute(UnixNode node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]), buffer = value)
        {
            if (node.IsOpen)
            {
                return (int)Result(SetHandleAttribute(node.Handle, attribute, buffer, value.Length, 0));
            }

            fixed (byte* path = PathOf(node, stackalloc byte[NameRoom]))
            {
                return (int)Result(SetLinkAttribute(path, attribute, buffer, value.Length, 0));
            }
        }
    }

    public override int RemoveAttribute(UnixNode node, ReadOnlySpan<byte> name)
    {
        fixed (byte* attribute = Terminate(name, stackalloc byte[NameRoom]))
        {
            if (node.IsOpen)
            {
                return (int)Result(RemoveHandleAttribute(node.Handle, attribute));
            }

            fixed (byte* path = PathOf(node, stackalloc byte[NameRoom]))
            {
                return (int)Result(RemoveLinkAttribute(path, attribute));
            }
        }
    }

    public override int GetAllFlags(int handle, out uint flags)
    {
        uint all = 0;
        int result = (int)Result(Control(handle, GetFlagsRequest, &all));
        flags = all;
        return result;
    }

    public override long LengthOfDevice(int handle)
    {
        // BLKGETSIZE64 fills in 8 bytes.
        long length = 0;
        int result = (int)Result(Control(handle, GetDeviceLengthRequest, (uint*)&length));
        return result < 0 ? result : length;
    }

    public override int GetFlags(int handle, in UnixStat stat, out uint flags)
    {
        uint all = 0;
        int result = (int)Result(Control(handle, GetFlagsRequest, &all));
        flags = all & (QuietFlags | LockingFlags);
        return result;
    }

    public override int SetFlags(int handle, uint flags)
    {
        const uint Ours = QuietFlags | LockingFlags;
        uint all = 0;
        int result = (int)Result(Control(handle, GetFlagsRequest, &all));
        if (result < 0)
        {
            // A file system without flags has an item's flags already where it should have none.
            return (flags & Ours) == 0 ? 0 : result;
        }

        uint wanted = (all & ~Ours) | (flags & Ours);
        if (wanted == all)
        {
            return 0;
        }

        result = (int)Result(Control(handle, SetFlagsRequest, &wanted));
        if (result < 0)
        {
            // One that this file system does not know would cost the others.
            for (uint left = wanted ^ all; left != 0; left &= left - 1)
            {
                uint next = all ^ (1u << BitOperations.TrailingZeroCount(left));
                all = Control(handle, SetFlagsRequest, &next) < 0 ? all : next;
            }

            return result;
        }

        // Some take what they do not keep, and say nothing.
        uint kept = 0;
        return Control(handle, GetFlagsRequest, &kept) >= 0 && (kept & Ours) != (flags & Ours) ? -Errno.NotSupported : 0;
    }

    public override bool IsLocked(int directory, DirectoryListing listing)
    {
        // struct fscrypt_get_policy_ex_arg: the room for the policy, and the policy; its first byte is the version.
        byte* policy = stackalloc byte[32];
        new Span<byte>(policy, 32).Clear();
        *(ulong*)policy = 24;
        if (Control(directory, GetEncryptionPolicyRequest, (uint*)policy) < 0)
        {
            return false;
        }

        // struct fscrypt_get_key_status_arg: kind of the key's name, its name, room, status.
        byte* status = stackalloc byte[128];
        new Span<byte>(status, 128).Clear();
        bool isSecond = policy[8] == 2;
        *(uint*)status = isSecond ? 2u : 1u;
        new ReadOnlySpan<byte>(policy + (isSecond ? 16 : 12), isSecond ? 16 : 8).CopyTo(new Span<byte>(status + 8, 32));
        if (Control(directory, GetKeyStatusRequest, (uint*)status) >= 0 && *(uint*)(status + 64) == KeyPresent)
        {
            return false;
        }

        // A key that is being removed, and the keys of the first version, which may lie in a process's own ring: a file tells.
        for (int i = 0; i < listing.Count; i++)
        {
            if (Stat(directory, listing[i], out UnixStat stat) >= 0 && stat.Kind == EntryKind.File)
            {
                int file = OpenFile(directory, listing[i]);
                if (file >= 0)
                {
                    Close(file);
                }

                return file == -Errno.NoKey;
            }
        }

        return isSecond;
    }

    // faccessat2 is as old as Linux 5.8, and no C library that is older has it.
    public override bool MayWriteIn(int folder)
    {
        const int WriteAndSearch = 3;
        const int AsItActs = 0x200;
        byte empty = 0;
        return Syscall(439, folder, (nint)(&empty), WriteAndSearch, AsItActs | AtEmptyPath, 0) >= 0;
    }

    public override int CreateNameless(int at, uint mode) =>
        _hasProc ? Open(at, "."u8, ReadWrite | Nameless | _directory, mode) : -Errno.NotSupported;

    public override int GiveName(int handle, int at, ReadOnlySpan<byte> name)
    {
        fixed (byte* source = Terminate(HandlePath(handle), stackalloc byte[NameRoom]), path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.MakeHardLink(-1, source, at, path, FollowLink));
        }
    }

    public override long CopyRange(int from, long fromOffset, int to, long toOffset, long length) =>
        Result(CopyFileRange(from, &fromOffset, to, &toOffset, (nint)Math.Min(length, 1 << 30), 0));

    public override int Synchronize(int folder) => (int)Result(SynchronizeFileSystem(folder));

    public override int SynchronizeFile(int handle) => 0;

    public override uint FreezingFlags(uint flags) => flags & LockingFlags;

    public override int RenameNew(int at, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        fixed (byte* source = Terminate(from, stackalloc byte[NameRoom]), path = Terminate(to, stackalloc byte[NameRoom]))
        {
            return (int)Result(Syscall(_isArm ? 276 : 316, at, (nint)source, at, (nint)path, RenameNoReplace));
        }
    }

    public override int ChangeMode(int at, ReadOnlySpan<byte> name, uint mode)
    {
        // There is no fchmodat that does not follow links. A handle of the item itself, and its name in /proc, is one.
        int handle = Open(at, name, PathOnly | _noFollowLink, 0);
        if (handle < 0)
        {
            return handle;
        }

        try
        {
            fixed (byte* path = Terminate(HandlePath(handle), stackalloc byte[NameRoom]))
            {
                return (int)Result(ChangeModeOfPath(path, mode));
            }
        }
        finally
        {
            Close(handle);
        }
    }

    public override int MakeNode(int at, ReadOnlySpan<byte> name, uint mode, ulong device)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(MakeNode(at, path, mode, ToDevice(device)));
        }
    }

    /// <summary>dev_t as glibc and musl encode it.</summary>
    internal static ulong ToDevice(ulong majorAndMinor)
    {
        ulong major = majorAndMinor >> 32;
        ulong minor = majorAndMinor & 0xFFFF_FFFF;
        return ((major & 0xFFFF_F000) << 32) | ((major & 0xFFF) << 8) | ((minor & 0xFFFF_FF00) << 12) | (minor & 0xFF);
    }

    private static int Stat(int at, byte* path, int flags, out UnixStat stat)
    {
        StatxResult told;
        int result = (int)Result(Statx(at, path, flags, StatxMask, &told));
        stat = result < 0 ? default : told.ToStat();
        return result;
    }

    // Only a file's owner (and root) may ask that its access time be kept.
    private static int OpenQuietly(int at, ReadOnlySpan<byte> name, int flags)
    {
        int handle = Open(at, name, flags | KeepAccessTime, 0);
        return handle == -Errno.NotPermitted ? Open(at, name, flags, 0) : handle;
    }

    private static int Open(int at, ReadOnlySpan<byte> name, int flags, uint mode)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            int handle;
            do
            {
                handle = (int)Result(OpenAt(at, path, flags | CloseOnExec, mode));
            }
            while (handle == -Errno.Interrupted);
            return handle;
        }
    }

    private static byte[] HandlePath(int handle) => System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{handle}");

    private static Span<byte> PathOf(UnixNode node, Span<byte> room) =>
        Terminate([.. HandlePath(node.At), (byte)'/', .. node.Name], room);

    private const int SequentialAdvice = 2;

    // getdents64 and renameat2 have no wrapper in the older C libraries.
    private static long GetDirectoryEntries(int handle, byte* buffer, int size) =>
        Syscall(_isArm ? 61 : 217, handle, (nint)buffer, size, 0, 0);

    [LibraryImport(Libc.Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport(Libc.Library, EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(int at, byte* name, int flags, uint mode);

    [LibraryImport(Libc.Library, EntryPoint = "statx", SetLastError = true)]
    private static partial int Statx(int at, byte* name, int flags, uint mask, StatxResult* result);

    [LibraryImport(Libc.Library, EntryPoint = "posix_fadvise")]
    private static partial int Advise(int handle, long offset, long length, int advice);

    [LibraryImport(Libc.Library, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int handle, ulong request, uint* value);

    [LibraryImport(Libc.Library, EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(int from, long* fromOffset, int to, long* toOffset, nint length, uint flags);

    [LibraryImport(Libc.Library, EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SynchronizeFileSystem(int handle);

    [LibraryImport(Libc.Library, EntryPoint = "chmod", SetLastError = true)]
    private static partial int ChangeModeOfPath(byte* path, uint mode);

    [LibraryImport(Libc.Library, EntryPoint = "mknodat", SetLastError = true)]
    private static partial int MakeNode(int at, byte* name, uint mode, ulong device);

    [LibraryImport(Libc.Library, EntryPoint = "flistxattr", SetLastError = true)]
    private static partial nint ListHandleAttributes(int handle, byte* names, nint size);

    [LibraryImport(Libc.Library, EntryPoint = "llistxattr", SetLastError = true)]
    private static partial nint ListLinkAttributes(byte* path, byte* names, nint size);

    [LibraryImport(Libc.Library, EntryPoint = "fgetxattr", SetLastError = true)]
    private static partial nint GetHandleAttribute(int handle, byte* name, byte* value, nint size);

    [LibraryImport(Libc.Library, EntryPoint = "lgetxattr", SetLastError = true)]
    private static partial nint GetLinkAttribute(byte* path, byte* name, byte* value, nint size);

    [LibraryImport(Libc.Library, EntryPoint = "fsetxattr", SetLastError = true)]
    private static partial int SetHandleAttribute(int handle, byte* name, byte* value, nint size, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "lsetxattr", SetLastError = true)]
    private static partial int SetLinkAttribute(byte* path, byte* name, byte* value, nint size, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "fremovexattr", SetLastError = true)]
    private static partial int RemoveHandleAttribute(int handle, byte* name);

    [LibraryImport(Libc.Library, EntryPoint = "lremovexattr", SetLastError = true)]
    private static partial int RemoveLinkAttribute(byte* path, byte* name);

    /// <summary>struct statx: 256 bytes on every processor.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct StatxResult
    {
        public uint Mask;
        public uint BlockSize;
        public ulong Attributes;
        public uint LinkCount;
        public uint UserId;
        public uint GroupId;
        public ushort Mode;
        public ushort Spare;
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong AttributesMask;
        public Time Accessed;
        public Time Born;
        public Time Changed;
        public Time Modified;
        public uint NodeMajor;
        public uint NodeMinor;
        public uint DeviceMajor;
        public uint DeviceMinor;
        public ulong MountId;

        public struct Time
        {
            public long Seconds;
            public uint Nanoseconds;
            public int Spare;

            public readonly ItemTime ToItemTime() => new(Seconds, Nanoseconds);
        }

        public readonly UnixStat ToStat() => new()
        {
            Mode = Mode,
            UserId = UserId,
            GroupId = GroupId,
            LinkCount = LinkCount,
            Device = ((ulong)DeviceMajor << 32) | DeviceMinor,
            DeviceNumber = ((ulong)NodeMajor << 32) | NodeMinor,
            Inode = Inode,
            Size = (long)Math.Min(Size, long.MaxValue),
            Blocks = (long)Math.Min(Blocks, long.MaxValue / 512),
            Modified = Modified.ToItemTime(),
            Changed = Changed.ToItemTime(),
            Created = (Mask & StatxBirth) != 0 ? Born.ToItemTime() : null,
            Flags = (uint)(Attributes & AttributesMask) & LockingFlags,
            MountId = (Mask & StatxMountId) != 0 ? MountId : 0,
            IsEncrypted = (Attributes & StatxEncrypted) != 0,
        };
    }
}
