using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Testing;

/// <summary>The kind of a file, as in st_mode.</summary>
public enum UnixFileKind
{
    Fifo = 1,
    CharacterDevice = 2,
    Directory = 4,
    BlockDevice = 6,
    File = 8,
    SymbolicLink = 10,
    Socket = 12,
}

/// <summary>What lstat says.</summary>
public readonly record struct UnixFileState(
    UnixFileKind Kind,
    uint Mode,
    uint UserId,
    uint GroupId,
    uint LinkCount,
    ulong Device,
    ulong FileId,
    ulong DeviceNumber,
    long Size,
    long AllocatedBytes,
    ItemTime Modified,
    ItemTime Changed);

/// <summary>Files of Linux by raw paths, which .NET's text cannot name, and with all that .NET does not show.</summary>
public static unsafe partial class UnixFile
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int AttributesNotSupported = 95;

    /// <summary>Raw bytes of a path given as text.</summary>
    public static byte[] Raw(string path) => Encoding.UTF8.GetBytes(path);

    /// <summary>A path in a folder.</summary>
    public static byte[] Join(ReadOnlySpan<byte> folder, ReadOnlySpan<byte> name) => name.IsEmpty ? folder.ToArray() : [.. folder, (byte)'/', .. name];

    /// <summary>State of a file, links not followed; null where nothing is.</summary>
    public static UnixFileState? Find(ReadOnlySpan<byte> path)
    {
        byte* status = stackalloc byte[256];
        if (StatX(CurrentFolder, Terminated(path), NoFollow, 0x7FF, status) < 0)
        {
            return Marshal.GetLastPInvokeError() is 2 or 20 ? null : throw Failure("stat", path);
        }

        uint mode = *(ushort*)(status + 28);
        return new UnixFileState(
            (UnixFileKind)(mode >> 12),
            mode & 0xFFF,
            UserId: *(uint*)(status + 20),
            GroupId: *(uint*)(status + 24),
            LinkCount: *(uint*)(status + 16),
            Device: *(ulong*)(status + 136),
            FileId: *(ulong*)(status + 32),
            DeviceNumber: *(ulong*)(status + 128),
            Size: *(long*)(status + 40),
            AllocatedBytes: *(long*)(status + 48) * 512,
            Modified: new(*(long*)(status + 112), *(uint*)(status + 120)),
            Changed: new(*(long*)(status + 96), *(uint*)(status + 104)));
    }

    /// <summary>State of a file that must be there.</summary>
    public static UnixFileState Stat(ReadOnlySpan<byte> path) => Find(path) ?? throw Failure("stat", path);

    /// <summary>Names in a folder, sorted by raw bytes, without '.' and '..'.</summary>
    public static List<byte[]> List(ReadOnlySpan<byte> folder)
    {
        nint stream = OpenDir(Terminated(folder));
        if (stream == 0)
        {
            throw Failure("list", folder);
        }

        var names = new List<byte[]>();
        try
        {
            for (byte* entry = ReadDir(stream); entry is not null; entry = ReadDir(stream))
            {
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + 19);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }
        finally
        {
            _ = CloseDir(stream);
        }

        names.Sort(static (left, right) => left.AsSpan().SequenceCompareTo(right));
        return names;
    }

    /// <summary>Opens a file as a stream.</summary>
    public static FileStream Open(ReadOnlySpan<byte> path, FileAccess access)
    {
        const int CreateAndCloseOnExec = 0x80040;
        int descriptor = OpenFile(Terminated(path), access == FileAccess.Read ? 0x80000 : 2 | CreateAndCloseOnExec, 0b110_100_100);
        return descriptor < 0
            ? throw Failure("open", path)
            : new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true), access, bufferSize: 0);
    }

    /// <summary>Where the next data of a file are, from an offset within it on; its length where only a hole follows.</summary>
    public static long FindData(FileStream file, long offset)
    {
        const int SeekData = 3;
        const int NoSuchOffset = 6;
        long found = Seek((int)file.SafeFileHandle.DangerousGetHandle(), offset, SeekData);
        return found >= 0 ? found
            : Marshal.GetLastPInvokeError() == NoSuchOffset ? file.Length
            : throw Failure("lseek", Raw(file.Name));
    }

    /// <summary>Target of a symbolic link.</summary>
    public static byte[] ReadLink(ReadOnlySpan<byte> path)
    {
        byte[] target = new byte[4096];
        nint length = ReadLinkNative(Terminated(path), target, target.Length);
        return length < 0 ? throw Failure("readlink", path) : target[..(int)length];
    }

    /// <summary>Extended attributes of a file or link, by name.</summary>
    public static SortedDictionary<string, byte[]> ListAttributes(ReadOnlySpan<byte> path)
    {
        var attributes = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        byte[] names = new byte[1 << 16];
        nint length = ListXattr(Terminated(path), names, names.Length);
        if (length < 0)
        {
            return Marshal.GetLastPInvokeError() == AttributesNotSupported ? attributes : throw Failure("llistxattr", path);
        }

        foreach (string name in Encoding.Latin1.GetString(names, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] value = new byte[1 << 16];
            nint valueLength = GetXattr(Terminated(path), Terminated(Encoding.Latin1.GetBytes(name)), value, value.Length);
            attributes[name] = valueLength < 0 ? throw Failure("lgetxattr", path) : value[..(int)valueLength];
        }

        return attributes;
    }

    /// <summary>Sets an extended attribute; false where the file system has none.</summary>
    public static bool TrySetAttribute(ReadOnlySpan<byte> path, string name, byte[] value) =>
        SetXattr(Terminated(path), Terminated(Encoding.Latin1.GetBytes(name)), value, value.Length, 0) == 0
        || (Marshal.GetLastPInvokeError() == AttributesNotSupported ? false : throw Failure("lsetxattr", path));

    public static void MakeDirectory(ReadOnlySpan<byte> path) => Check(MkDir(Terminated(path), 0b111_101_101), "mkdir", path);

    public static void MakeSymbolicLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> target) =>
        Check(SymLink(Terminated(target), Terminated(path)), "symlink", path);

    public static void MakeHardLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> existing) => Check(Link(Terminated(existing), Terminated(path)), "link", path);

    /// <summary>Makes a pipe, a socket or (as root) a device node.</summary>
    public static void MakeNode(ReadOnlySpan<byte> path, UnixFileKind kind, int major = 0, int minor = 0) =>
        Check(MkNod(Terminated(path), ((uint)kind << 12) | 0b110_100_100, ((ulong)major << 8) | (uint)minor), "mknod", path);

    public static void SetMode(ReadOnlySpan<byte> path, uint mode) => Check(ChMod(Terminated(path), mode), "chmod", path);

    public static void SetOwner(ReadOnlySpan<byte> path, uint userId, uint groupId) => Check(LChOwn(Terminated(path), userId, groupId), "lchown", path);

    public static void Rename(ReadOnlySpan<byte> path, ReadOnlySpan<byte> newPath) =>
        Check(RenameNative(Terminated(path), Terminated(newPath)), "rename", path);

    public static void Truncate(ReadOnlySpan<byte> path, long length) => Check(TruncateNative(Terminated(path), length), "truncate", path);

    /// <summary>Sets the time of the last modification, of a link itself too.</summary>
    public static void SetModified(ReadOnlySpan<byte> path, ItemTime time)
    {
        long* times = stackalloc long[] { time.Seconds, time.Nanoseconds, time.Seconds, time.Nanoseconds };
        Check(UTimeNsAt(CurrentFolder, Terminated(path), times, NoFollow), "utimensat", path);
    }

    /// <summary>Deletes a file, or a folder with all it holds.</summary>
    public static void Delete(ReadOnlySpan<byte> path)
    {
        const int RemoveDirectory = 0x200;
        bool isDirectory = Stat(path).Kind == UnixFileKind.Directory;
        if (isDirectory)
        {
            foreach (byte[] name in List(path))
            {
                Delete(Join(path, name));
            }
        }

        Check(UnlinkAt(CurrentFolder, Terminated(path), isDirectory ? RemoveDirectory : 0), "unlink", path);
    }

    // The system takes no more than this at once; longer paths are walked, and their last folder is named by a handle.
    private const int MaxPath = 4095;
    private const int MaxStep = 2000;

    // Handles of the last long paths: one call takes two paths at most.
    [ThreadStatic]
    private static Queue<int>? _folders;

    private static byte[] Terminated(ReadOnlySpan<byte> path) => path.Length <= MaxPath ? [.. path, 0] : Shortened(path);

    private static byte[] Shortened(ReadOnlySpan<byte> path)
    {
        const int DirectoryOnly = 0x290000; // O_PATH | O_DIRECTORY | O_CLOEXEC
        int at = CurrentFolder;
        ReadOnlySpan<byte> rest = path;
        while (rest.Length > MaxStep)
        {
            int slash = rest[1..MaxStep].LastIndexOf((byte)'/') + 1;
            int next = OpenFileAt(at, [.. rest[..slash], 0], DirectoryOnly, 0);
            if (at >= 0)
            {
                _ = CloseFile(at);
            }

            at = next < 0 ? throw Failure("open", path) : next;
            rest = rest[(slash + 1)..];
        }

        _folders ??= [];
        _folders.Enqueue(at);
        if (_folders.Count > 2)
        {
            _ = CloseFile(_folders.Dequeue());
        }

        return [.. Raw($"/proc/self/fd/{at}/"), .. rest, 0];
    }

    private static void Check(int result, string call, ReadOnlySpan<byte> path)
    {
        if (result < 0)
        {
            throw Failure(call, path);
        }
    }

    private static IOException Failure(string call, ReadOnlySpan<byte> path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} '{Encoding.UTF8.GetString(path)}': {new Win32Exception(error).Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatX(int folder, byte[] path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    private static partial nint OpenDir(byte[] path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    private static partial byte* ReadDir(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    private static partial int CloseDir(nint stream);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte[] path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenFileAt(int folder, byte[] path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int handle);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    private static partial nint ReadLinkNative(byte[] path, byte[] buffer, nint length);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    private static partial nint ListXattr(byte[] path, byte[] names, nint length);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    private static partial nint GetXattr(byte[] path, byte[] name, byte[] value, nint length);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    private static partial int SetXattr(byte[] path, byte[] name, byte[] value, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true)]
    private static partial int MkDir(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    private static partial int SymLink(byte[] target, byte[] path);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true)]
    private static partial int Link(byte[] existing, byte[] path);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true)]
    private static partial int MkNod(byte[] path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    private static partial int ChMod(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true)]
    private static partial int LChOwn(byte[] path, uint userId, uint groupId);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
    private static partial int RenameNative(byte[] path, byte[] newPath);

    [LibraryImport("libc", EntryPoint = "truncate", SetLastError = true)]
    private static partial int TruncateNative(byte[] path, long length);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    private static partial int UTimeNsAt(int folder, byte[] path, long* times, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAt(int folder, byte[] path, int flags);
}
