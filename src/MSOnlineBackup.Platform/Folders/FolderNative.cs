using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Platform.Folders;

/// <summary>
/// The few calls that a crash-safe folder needs on Linux and macOS and .NET lacks: everything relative to an open folder, and never through a link.
/// </summary>
/// <remarks>Failures are <see cref="IOException"/> with the error number as HResult, as .NET's own are on Unix.</remarks>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class FolderNative
{
    private const int NotPermitted = 1;
    private const int NoSuchEntry = 2;
    private const int Exists = 17;
    private const int NotADirectory = 20;
    private const int Invalid = 22;
    private const int NoSuchCall = 38;
    private const int StatBufferLength = 512;

    // openat2 has one number on all architectures, and no function in the C library.
    private const nint OpenAt2Number = 437;
    private const ulong NoLinks = 0x04;
    private const ulong Beneath = 0x08;
    private const ulong GetFlagsRequest = 0x8008_6601;
    private const ulong SetFlagsRequest = 0x4008_6602;
    private const int TypeMask = 0xF000;
    private const int FolderType = 0x4000;
    private const int FileType = 0x8000;

    private static readonly bool _isLinux = OperatingSystem.IsLinux();
    private static readonly bool _isArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    // Some of Linux's flags depend on the architecture.
    private static readonly int _noFollow = !_isLinux ? 0x100 : _isArm ? 0x8000 : 0x2_0000;
    private static readonly int _folderOnly = !_isLinux ? 0x10_0000 : _isArm ? 0x4000 : 0x1_0000;
    private static readonly int _closeOnExec = _isLinux ? 0x8_0000 : 0x100_0000;
    private static readonly int _nonBlocking = _isLinux ? 0x800 : 0x4;
    private static readonly int _createNew = _isLinux ? 0x40 | 0x80 : 0x200 | 0x800;
    private static readonly int _currentFolder = _isLinux ? -100 : -2;
    private static readonly int _statNoFollow = _isLinux ? 0x100 : 0x20;
    private static readonly int _loop = _isLinux ? 40 : 62;
    private static readonly int _notSupported = _isLinux ? 95 : 45;

    private static volatile bool _opensBeneath = _isLinux;

    /// <summary>Opens a folder by its path, through links. Fails with ENOENT or ENOTDIR where none is.</summary>
    public static SafeFileHandle OpenFolder(string path) => Opened(OpenAt(_currentFolder, path, _folderOnly | _closeOnExec));

    /// <summary>Opens a folder in another; null where nothing, or a file, has that name.</summary>
    /// <exception cref="LinkInVaultException">A link, a pipe or a device has that name.</exception>
    public static SafeFileHandle? TryOpenFolder(SafeFileHandle parent, string name)
    {
        int descriptor = OpenAt(Raw(parent), name, _folderOnly | _noFollow | _closeOnExec);
        int error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return error switch
        {
            0 => Opened(descriptor),
            NoSuchEntry => null,
            _ when error == _loop || error == NotADirectory => TryStat(parent, name) is { IsFile: false } ? throw new LinkInVaultException(name) : null,
            _ => throw Failure(error),
        };
    }

    /// <summary>Opens a file for reading; null where nothing, or a folder, has that name. Does not wait for a pipe's other end.</summary>
    /// <exception cref="LinkInVaultException">A link, a pipe or a device has that name.</exception>
    public static SafeFileHandle? TryOpenFile(SafeFileHandle folder, string name)
    {
        int descriptor = OpenAt(Raw(folder), name, _nonBlocking | _noFollow | _closeOnExec);
        int error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (error == NoSuchEntry)
        {
            return null;
        }

        // A socket gives ENXIO, as does a device that nobody drives.
        if (error == _loop || (error is not 0 && TryStat(folder, name) is { IsFile: false }))
        {
            throw new LinkInVaultException(name);
        }

        SafeFileHandle file = error == 0 ? Opened(descriptor) : throw Failure(error);
        FolderStatus status = Stat(file);
        if (status.IsFile)
        {
            return file;
        }

        file.Dispose();
        return status.IsFolder ? null : throw new LinkInVaultException(name);
    }

    /// <summary>
    /// Opens a file for reading by its path below an open folder: through no link and no way out, by one call where going down folder by folder takes one for
    /// each. Null where the system has no such call, or anything else is to be said of the path: then going down says it.
    /// </summary>
    public static SafeFileHandle? TryOpenBeneath(SafeFileHandle folder, string path)
    {
        if (!_opensBeneath)
        {
            return null;
        }

        var how = new OpenHow { Flags = (ulong)(uint)(_nonBlocking | _noFollow | _closeOnExec), Resolve = NoLinks | Beneath };
        int descriptor = (int)OpenAt2(OpenAt2Number, Raw(folder), path, &how, (nuint)sizeof(OpenHow));
        if (descriptor < 0)
        {
            // Before Linux 5.6, or in a sandbox that knows no newer calls. Where it was the file that refused, the slower way is as good.
            _opensBeneath = Marshal.GetLastPInvokeError() is not (NoSuchCall or NotPermitted);
            return null;
        }

        SafeFileHandle file = Opened(descriptor);
        if (Stat(file).IsFile)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Makes a file that did not exist, open for writing.</summary>
    public static SafeFileHandle CreateFile(SafeFileHandle folder, string name, UnixFileMode mode) =>
        Opened(_isLinux || !_isArm
            ? CreateAt(Raw(folder), name, 1 | _createNew | _noFollow | _closeOnExec, (uint)mode)
            : CreateAtOnAppleSilicon(Raw(folder), name, 1 | _createNew | _noFollow | _closeOnExec, 0, 0, 0, 0, 0, (uint)mode));

    /// <summary>Makes one folder. Returns false where something has that name.</summary>
    public static bool TryMakeFolder(SafeFileHandle parent, string name, UnixFileMode mode) => Succeeded(MakeDirectoryAt(Raw(parent), name, (uint)mode));

    /// <summary>Gives a file a new name on the same file system. Returns false, and changes nothing, where something has that name;
    /// true may leave the old name behind as a second one.</summary>
    public static bool TryMoveToNewName(SafeFileHandle folder, string name, SafeFileHandle newFolder, string newName)
    {
        int error = ErrorOf(LinkAt(Raw(folder), name, Raw(newFolder), newName, 0));
        return error switch
        {
            0 => true,
            Exists => false,

            // FAT and some network file systems have no hard links, but can rename without replacing.
            _ => TryRename(folder, name, newFolder, newName),
        };
    }

    /// <summary>Renames a file on the same file system. Returns false, and changes nothing, where something has that name.</summary>
    internal static bool TryRename(SafeFileHandle folder, string name, SafeFileHandle newFolder, string newName)
    {
        int error = ErrorOf(_isLinux
            ? RenameAt2(Raw(folder), name, Raw(newFolder), newName, 1)
            : RenameAtX(Raw(folder), name, Raw(newFolder), newName, 4));
        return error switch
        {
            0 => true,
            Exists => false,
            _ when error is Invalid or NotPermitted || error == _notSupported => throw new IOException(
                "It supports neither hard links nor renaming without replacing, so nothing can be stored safely", error),
            _ => throw Failure(error),
        };
    }

    /// <summary>Removes a file's name. Returns false where nothing has it.</summary>
    public static bool TryRemove(SafeFileHandle folder, string name)
    {
        int error = ErrorOf(UnlinkAt(Raw(folder), name, 0));
        return error switch
        {
            0 => true,
            NoSuchEntry => false,
            _ => throw Failure(error),
        };
    }

    /// <summary>Gives something to another account; for root only.</summary>
    public static void ChangeOwner(SafeFileHandle handle, uint user, uint group) => ThrowOnFailure(ChangeOwner(Raw(handle), user, group));

    /// <summary>Sets permissions, whatever the process masks.</summary>
    public static void ChangeMode(SafeFileHandle handle, UnixFileMode mode) => ThrowOnFailure(ChangeMode(Raw(handle), (uint)mode));

    /// <summary>Sets or clears flags that forbid changes. For who has CAP_LINUX_IMMUTABLE, on file systems of Linux that have them.</summary>
    public static void ChangeFlags(SafeFileHandle handle, FolderFlags flags, bool isSet)
    {
        uint all = 0;
        ThrowOnFailure(_isLinux ? Control(Raw(handle), GetFlagsRequest, &all) : throw Failure(_notSupported));
        uint wanted = isSet ? all | (uint)flags : all & ~(uint)flags;
        if (wanted != all)
        {
            ThrowOnFailure(Control(Raw(handle), SetFlagsRequest, &wanted));
        }
    }

    /// <summary>Has the next reader of a file ask the medium, not the memory.</summary>
    public static void Forget(SafeFileHandle file)
    {
        // Advice; where it is not taken, nothing is lost.
        if (_isLinux)
        {
            _ = Advise(Raw(file), 0, 0, 4);
        }
    }

    /// <summary>The facts of what is open.</summary>
    public static FolderStatus Stat(SafeFileHandle handle) => Stat(Raw(handle), "") ?? throw Failure(NoSuchEntry);

    /// <summary>The facts of what has a name in a folder, a link itself rather than what it names; null where nothing has.</summary>
    public static FolderStatus? TryStat(SafeFileHandle folder, string name) => Stat(Raw(folder), name);

    /// <summary>The facts of what has a path, the last link not followed; null where nothing has.</summary>
    public static FolderStatus? TryStat(string path) => Stat(_currentFolder, path);

    private static FolderStatus? Stat(int folder, string name)
    {
        byte* status = stackalloc byte[StatBufferLength];
        var bytes = new ReadOnlySpan<byte>(status, StatBufferLength);
        int error;
        FolderStatus found;
        if (_isLinux)
        {
            // struct statx is the same on every architecture.
            const int EmptyPath = 0x1000;
            const uint BasicFacts = 0x7FF;
            error = ErrorOf(StatX(folder, name, _statNoFollow | (name.Length == 0 ? EmptyPath : 0), BasicFacts, status));
            found = new FolderStatus
            {
                Identity = new FolderIdentity(MemoryMarshal.Read<ulong>(bytes[136..]), MemoryMarshal.Read<ulong>(bytes[32..])),
                IsFolder = (MemoryMarshal.Read<ushort>(bytes[28..]) & TypeMask) == FolderType,
                IsFile = (MemoryMarshal.Read<ushort>(bytes[28..]) & TypeMask) == FileType,
                Mode = (UnixFileMode)(MemoryMarshal.Read<ushort>(bytes[28..]) & 0xFFF),
                User = MemoryMarshal.Read<uint>(bytes[20..]),
                Group = MemoryMarshal.Read<uint>(bytes[24..]),
                Length = MemoryMarshal.Read<long>(bytes[40..]),
                Modified = TimeOf(MemoryMarshal.Read<long>(bytes[112..]), MemoryMarshal.Read<uint>(bytes[120..])),

                // Of its attributes, two have the numbers of the flags.
                Flags = (FolderFlags)(MemoryMarshal.Read<ulong>(bytes[8..]) & (ulong)(FolderFlags.Immutable | FolderFlags.AppendOnly)),
            };
        }
        else
        {
            // struct stat with 64-bit inodes.
            bool isOpen = name.Length == 0;
            error = ErrorOf(_isArm
                ? isOpen ? StatOpen(folder, status) : StatAt(folder, name, status, _statNoFollow)
                : isOpen ? StatOpenX64(folder, status) : StatAtX64(folder, name, status, _statNoFollow));
            found = new FolderStatus
            {
                Identity = new FolderIdentity(MemoryMarshal.Read<uint>(bytes), MemoryMarshal.Read<ulong>(bytes[8..])),
                IsFolder = (MemoryMarshal.Read<ushort>(bytes[4..]) & TypeMask) == FolderType,
                IsFile = (MemoryMarshal.Read<ushort>(bytes[4..]) & TypeMask) == FileType,
                Mode = (UnixFileMode)(MemoryMarshal.Read<ushort>(bytes[4..]) & 0xFFF),
                User = MemoryMarshal.Read<uint>(bytes[16..]),
                Group = MemoryMarshal.Read<uint>(bytes[20..]),
                Length = MemoryMarshal.Read<long>(bytes[96..]),
                Modified = TimeOf(MemoryMarshal.Read<long>(bytes[48..]), MemoryMarshal.Read<uint>(bytes[56..])),
            };
        }

        return error switch
        {
            0 => found,
            NoSuchEntry or NotADirectory => null,
            _ => throw Failure(error),
        };
    }

    // Beyond the years 1 to 9999 there is no telling; only orders and ages are read from it.
    private static DateTimeOffset TimeOf(long seconds, uint nanoseconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, -62_135_596_800, 253_402_300_799)).AddTicks(nanoseconds / 100);

    private static int Raw(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static SafeFileHandle Opened(int descriptor) =>
        descriptor < 0 ? throw Failure(Marshal.GetLastPInvokeError()) : new SafeFileHandle(descriptor, ownsHandle: true);

    private static bool Succeeded(int result)
    {
        int error = ErrorOf(result);
        return error switch
        {
            0 => true,
            Exists => false,
            _ => throw Failure(error),
        };
    }

    private static void ThrowOnFailure(int result)
    {
        if (ErrorOf(result) is not 0 and int error)
        {
            throw Failure(error);
        }
    }

    private static int ErrorOf(int result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static IOException Failure(int error) => new(Marshal.GetPInvokeErrorMessage(error), error);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int folder, string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateAt(int folder, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenAt2(nint number, int folder, string path, OpenHow* how, nuint length);

    // What varies in number goes by the stack there.
    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateAtOnAppleSilicon(int folder, string path, int flags, nint r3, nint r4, nint r5, nint r6, nint r7, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectoryAt(int folder, string path, uint mode);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkAt(int folder, string path, int newFolder, string newPath, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int folder, string path, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "renameatx_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAtX(int folder, string path, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkAt(int folder, string path, int flags);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwner(int handle, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int ChangeMode(int handle, uint mode);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int handle, ulong request, uint* value);

    [LibraryImport("libc", EntryPoint = "posix_fadvise", SetLastError = true)]
    private static partial int Advise(int handle, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "fstatat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatAt(int folder, string path, byte* status, int flags);

    [LibraryImport("libc", EntryPoint = "fstatat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatAtX64(int folder, string path, byte* status, int flags);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int StatOpen(int handle, byte* status);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int StatOpenX64(int handle, byte* status);

    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}
