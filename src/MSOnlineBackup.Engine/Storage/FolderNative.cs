using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Storage;

/// <summary>The few calls that a crash-safe folder needs and .NET lacks: linking, flushing a folder, making exactly one folder.</summary>
/// <remarks>Failures are <see cref="IOException"/> with the error number as HResult, as .NET's own are on Unix.</remarks>
internal static unsafe partial class FolderNative
{
    private const int NoSuchEntry = 2;
    private const int Exists = 17;
    private const int NotADirectory = 20;
    private const int StatBufferLength = 512;

    /// <summary>Gives a file a new name on the same file system. Returns false, and changes nothing, where something has that name;
    /// true may leave the old name behind as a second one.</summary>
    public static bool TryMoveToNewName(string path, string newPath)
    {
        if (OperatingSystem.IsWindows())
        {
            return TryMoveOnWindows(path, newPath);
        }

        int error = Invoke(Link(path, newPath));
        return error switch
        {
            0 => true,
            Exists => false,
            // FAT and some network file systems have no hard links, but can rename without replacing.
            _ => TryRename(path, newPath),
        };
    }

    /// <summary>Renames a file on the same file system. Returns false, and changes nothing, where something has that name.</summary>
    internal static bool TryRename(string path, string newPath)
    {
        int error = Invoke(OperatingSystem.IsLinux()
            ? RenameAt2(LinuxCurrentFolder, path, LinuxCurrentFolder, newPath, LinuxNoReplace)
            : RenameExclusive(path, newPath, MacExclusive));
        return error switch
        {
            0 => true,
            Exists => false,
            _ => throw Failure(error),
        };
    }

    /// <summary>Makes one folder, for its owner only; its parent must exist. One that exists is kept.</summary>
    public static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        int error = Invoke(MkDir(path, 0b111_000_000));
        if (error is not (0 or Exists))
        {
            throw Failure(error);
        }
    }

    /// <summary>Makes the names in a folder durable. Windows does that with the file.</summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(path, OperatingSystem.IsLinux() ? LinuxCloseOnExec : MacCloseOnExec);
        if (descriptor < 0)
        {
            throw Failure(Marshal.GetLastPInvokeError());
        }

        // .NET knows the strongest flush of each system, and which file systems have none.
        using var folder = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(folder);
    }

    /// <summary>Device and inode of a folder; null where nothing, or no folder, is.</summary>
    public static FolderIdentity? FindDirectory(string path)
    {
        byte* status = stackalloc byte[StatBufferLength];
        var bytes = new ReadOnlySpan<byte>(status, StatBufferLength);
        int error;
        int mode;
        FolderIdentity identity;
        if (OperatingSystem.IsLinux())
        {
            // struct statx is the same on every architecture: mode at 28, inode at 32, device at 136 and 140.
            error = Invoke(StatX(LinuxCurrentFolder, path, 0, LinuxStatTypeAndInode, status));
            mode = MemoryMarshal.Read<ushort>(bytes[28..]);
            identity = new FolderIdentity(MemoryMarshal.Read<ulong>(bytes[136..]), MemoryMarshal.Read<ulong>(bytes[32..]));
        }
        else
        {
            // struct stat with 64-bit inodes: device at 0, mode at 4, inode at 8.
            error = Invoke(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? MacStatX64(path, status) : MacStat(path, status));
            mode = MemoryMarshal.Read<ushort>(bytes[4..]);
            identity = new FolderIdentity(MemoryMarshal.Read<uint>(bytes), MemoryMarshal.Read<ulong>(bytes[8..]));
        }

        return error switch
        {
            0 => (mode & 0xF000) == 0x4000 ? identity : null,
            NoSuchEntry or NotADirectory => null,
            _ => throw Failure(error),
        };
    }

    private static bool TryMoveOnWindows(string path, string newPath)
    {
        const int AlreadyExists = unchecked((int)0x800700B7);
        const int FileExists = unchecked((int)0x80070050);
        try
        {
            File.Move(path, newPath, overwrite: false);
            return true;
        }
        catch (IOException failure) when (failure.HResult is AlreadyExists or FileExists)
        {
            return false;
        }
    }

    private static int Invoke(int result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static IOException Failure(int error) => new(Marshal.GetPInvokeErrorMessage(error), error);

    private const int LinuxCurrentFolder = -100;
    private const uint LinuxNoReplace = 1;
    private const int LinuxCloseOnExec = 0x80000;
    private const uint LinuxStatTypeAndInode = 0x101;
    private const uint MacExclusive = 4;
    private const int MacCloseOnExec = 0x1000000;

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string path, string newPath);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int folder, string path, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "renamex_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameExclusive(string path, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MkDir(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MacStat(string path, byte* status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MacStatX64(string path, byte* status);
}
