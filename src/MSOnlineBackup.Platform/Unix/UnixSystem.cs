using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>
/// The file system calls of a POSIX system, as thin as they can be. Every path is relative to an open folder, so that
/// no path is too long and no link misleads. Results are those of the system; an error is the negative error number.
/// </summary>
/// <remarks>Names are raw bytes without a terminating NUL.</remarks>
[SkipLocalsInit]
internal abstract unsafe class UnixSystem
{
    /// <summary>Room for a name and its NUL on the stack; longer ones go to the heap.</summary>
    protected const int NameRoom = 264;

    // PATH_MAX, and its end.
    private const int PathRoom = 4097;

    /// <summary>The system this process runs on.</summary>
    public static UnixSystem Current { get; } =
        OperatingSystem.IsMacOS() ? new MacSystem() : new LinuxSystem();

    /// <summary>The name under which the inode flags of this system are kept: flags of another mean something else.</summary>
    public abstract ReadOnlySpan<byte> FlagsName { get; }

    /// <summary>AT_SYMLINK_NOFOLLOW.</summary>
    protected abstract int NoFollow { get; }

    /// <summary>AT_REMOVEDIR.</summary>
    protected abstract int RemoveFolder { get; }

    /// <summary>UTIME_OMIT.</summary>
    protected abstract long OmitTime { get; }

    /// <summary>SEEK_DATA and SEEK_HOLE.</summary>
    protected abstract (int Data, int Hole) SeekKinds { get; }

    /// <summary>Opens a folder for listing and as the base of further calls.</summary>
    public abstract int OpenDirectory(int at, ReadOnlySpan<byte> name, bool followLink = false);

    /// <summary>Opens a folder only as the base of further calls: needs the right to search it, not to list it.</summary>
    public abstract int OpenBase(int at, ReadOnlySpan<byte> name, bool followLink = false);

    /// <summary>Opens a file for reading: not through a link, not waiting for a pipe's other end, keeping its access time where allowed.</summary>
    public abstract int OpenFile(int at, ReadOnlySpan<byte> name);

    /// <summary>Creates a file that was not there, for reading and writing.</summary>
    public abstract int CreateFile(int at, ReadOnlySpan<byte> name, uint mode);

    /// <summary>What is at a name.</summary>
    public abstract int Stat(int at, ReadOnlySpan<byte> name, out UnixStat stat);

    /// <summary>What is open.</summary>
    public abstract int Stat(int handle, out UnixStat stat);

    /// <summary>Reads all names of a folder that was just opened, sorted.</summary>
    public abstract int List(int directory, DirectoryListing listing);

    /// <summary>The name of the file system that an open item is on; null where unknown.</summary>
    public abstract string? FileSystemOf(int handle, in UnixStat stat);

    /// <summary>Whether a file system only shows what the kernel knows: nothing to be backed up.</summary>
    public abstract bool IsPseudoFileSystem(string? name);

    /// <summary>Whether an open folder is encrypted and its key is not there, so that its names are not the real ones.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="listing">What it listed just before.</param>
    public virtual bool IsLocked(int directory, DirectoryListing listing) => false;

    /// <summary>How many files this process may have open at once.</summary>
    public static long OpenFileLimit =>
        Libc.GetLimit(OperatingSystem.IsMacOS() ? 8 : 7, out Libc.ResourceLimit limit) == 0 ? (long)Math.Min(limit.Current, long.MaxValue) : 256;

    /// <summary>Says that a file will be read from its beginning to its end.</summary>
    public abstract void ExpectSequentialRead(int handle);

    /// <summary>The names of an item's extended attributes, each followed by NUL; the length of them all.</summary>
    public abstract int ListAttributes(UnixNode node, Span<byte> names);

    /// <summary>The value of an extended attribute; its length.</summary>
    public abstract int GetAttribute(UnixNode node, ReadOnlySpan<byte> name, Span<byte> value);

    /// <summary>Sets an extended attribute.</summary>
    public abstract int SetAttribute(UnixNode node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    /// <summary>Removes an extended attribute.</summary>
    public abstract int RemoveAttribute(UnixNode node, ReadOnlySpan<byte> name);

    /// <summary>Whether an attribute is a stream, of any length and reached at any offset: the resource fork of macOS.</summary>
    public virtual bool IsStream(ReadOnlySpan<byte> name) => false;

    /// <summary>Reads a stream of an open file at an offset. How many bytes: 0 at its end.</summary>
    public virtual int ReadStream(int handle, ReadOnlySpan<byte> name, long offset, Span<byte> destination) => -Errno.NotSupported;

    /// <summary>Writes into a stream of an open file at an offset, and makes it where there is none; what lies before the offset and was never written is
    /// zeros.</summary>
    public virtual int WriteStream(int handle, ReadOnlySpan<byte> name, long offset, ReadOnlySpan<byte> content) => -Errno.NotSupported;

    /// <summary>The flags of an open file or folder that are worth keeping (Linux inode flags, BSD flags). An error where there are none.</summary>
    public abstract int GetFlags(int handle, in UnixStat stat, out uint flags);

    /// <summary>Whether this account may make items in an open folder.</summary>
    public abstract bool MayWriteIn(int folder);

    /// <summary>Gives an open file or folder these of the flags that are worth keeping, and no others of them.</summary>
    public abstract int SetFlags(int handle, uint flags);

    /// <summary>Creates a file that has no name yet, for reading and writing: nothing is left of it if nobody names it. An error
    /// (NotSupported, Invalid, IsDirectory, NotFound) where the system or the file system cannot.</summary>
    public abstract int CreateNameless(int at, uint mode);

    /// <summary>Gives a file of <see cref="CreateNameless"/> its name. Never over anything.</summary>
    public abstract int GiveName(int handle, int at, ReadOnlySpan<byte> name);

    /// <summary>Copies bytes between open files, sharing them where the file system can. How many: 0 at the source's end.</summary>
    public abstract long CopyRange(int from, long fromOffset, int to, long toOffset, long length);

    /// <summary>Waits until everything written to the file system of an open folder is on the medium; tells of what could not be written.</summary>
    public abstract int Synchronize(int folder);

    /// <summary>Sees to it that an open file is written where <see cref="Synchronize(int)"/> alone would not do that.</summary>
    public abstract int SynchronizeFile(int handle);

    /// <summary>Those of <paramref name="flags"/> after which a file cannot be written or renamed any more: they are set last.</summary>
    public abstract uint FreezingFlags(uint flags);

    /// <summary>Renames, but not over anything. An error (Invalid, NotImplemented, NotSupported) where the file system cannot.</summary>
    public abstract int RenameNew(int at, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);

    /// <summary>Sets the permission bits of what has a name and cannot be opened.</summary>
    public abstract int ChangeMode(int at, ReadOnlySpan<byte> name, uint mode);

    /// <summary>Creates a pipe, socket or device node; <paramref name="mode"/> includes the type.</summary>
    public abstract int MakeNode(int at, ReadOnlySpan<byte> name, uint mode, ulong device);

    /// <summary>How many files this process may have open at once.</summary>
    public static long MostOpenFiles
    {
        get
        {
            ulong* limits = stackalloc ulong[2];
            const long Usual = 1024;
            return Libc.GetLimit(OperatingSystem.IsMacOS() ? 8 : 7, limits) < 0 ? Usual : (long)Math.Min(limits[0], 1 << 20);
        }
    }

    /// <summary>The path without links, '.' and '..'; null where it does not lead anywhere.</summary>
    public static byte[]? RealPath(ReadOnlySpan<byte> path)
    {
        byte* real = stackalloc byte[PathRoom];
        fixed (byte* given = (byte[])[.. path, 0])
        {
            return Libc.RealPath(given, real) == null ? null : Until(real);
        }
    }

    /// <summary>The folder that relative paths begin in; null where it is gone.</summary>
    public static byte[]? WorkingFolder()
    {
        byte* folder = stackalloc byte[PathRoom];
        return Libc.WorkingFolder(folder, PathRoom) == null ? null : Until(folder);
    }

    /// <summary>Begins a session of its own, without a terminal. Negative where this process leads a group already.</summary>
    public static int BeginSession() => (int)Result(Libc.BeginSession());

    /// <summary>What an open item's inode flags are, all of them; negative where the file system has none.</summary>
    public virtual int GetAllFlags(int handle, out uint flags)
    {
        flags = 0;
        return -Errno.NotSupported;
    }

    /// <summary>How many bytes an open block device has. An error (NotSupported) where the system does not tell.</summary>
    public virtual long LengthOfDevice(int handle) => -Errno.NotSupported;

    /// <summary>The system's text for an error number.</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>Closes a handle that was only read from.</summary>
    public static void Close(int handle) => _ = Libc.Close(handle);

    /// <summary>Closes a handle that was written to: a network file system may tell only now that it could not keep it.</summary>
    public static int CloseWritten(int handle)
    {
        int result = (int)Result(Libc.Close(handle));
        return result == -Errno.Interrupted ? 0 : result;
    }

    /// <summary>Reads at an offset.</summary>
    public static int Read(int handle, long offset, Span<byte> destination)
    {
        fixed (byte* buffer = destination)
        {
            while (true)
            {
                nint count = Libc.PositionalRead(handle, buffer, destination.Length, offset);
                if (count >= 0 || Marshal.GetLastPInvokeError() != Errno.Interrupted)
                {
                    return (int)Result(count);
                }
            }
        }
    }

    /// <summary>Writes all of <paramref name="content"/> at an offset.</summary>
    public static int Write(int handle, long offset, ReadOnlySpan<byte> content)
    {
        fixed (byte* buffer = content)
        {
            int written = 0;
            while (written < content.Length)
            {
                nint count = Libc.PositionalWrite(handle, buffer + written, content.Length - written, offset + written);
                if (count >= 0)
                {
                    written += (int)count;
                }
                else if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
                {
                    return (int)Result(count);
                }
            }

            return 0;
        }
    }

    /// <summary>Where data begin at or after an offset.</summary>
    public long SeekData(int handle, long offset) => Result(Libc.Seek(handle, offset, SeekKinds.Data));

    /// <summary>Where a hole (or the end) begins at or after an offset.</summary>
    public long SeekHole(int handle, long offset) => Result(Libc.Seek(handle, offset, SeekKinds.Hole));

    /// <summary>Sets the length of a file; what is added is a hole.</summary>
    public static int Truncate(int handle, long length) => (int)Result(Libc.Truncate(handle, length));

    /// <summary>Reads a link's target; its length. A result as long as the buffer may be cut.</summary>
    public static int ReadLink(int at, ReadOnlySpan<byte> name, Span<byte> target)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]), buffer = target)
        {
            return (int)Result(Libc.ReadLink(at, path, buffer, target.Length));
        }
    }

    /// <summary>Creates a folder.</summary>
    public static int MakeDirectory(int at, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.MakeDirectory(at, path, mode));
        }
    }

    /// <summary>Creates a symbolic link.</summary>
    public static int MakeSymbolicLink(ReadOnlySpan<byte> target, int at, ReadOnlySpan<byte> name)
    {
        fixed (byte* text = Terminate(target, stackalloc byte[NameRoom]), path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.MakeSymbolicLink(text, at, path));
        }
    }

    /// <summary>Gives a file another name. Never over anything.</summary>
    public static int MakeHardLink(int fromAt, ReadOnlySpan<byte> from, int toAt, ReadOnlySpan<byte> to)
    {
        fixed (byte* source = Terminate(from, stackalloc byte[NameRoom]), path = Terminate(to, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.MakeHardLink(fromAt, source, toAt, path, 0));
        }
    }

    /// <summary>Removes a name that is no folder.</summary>
    public static int Unlink(int at, ReadOnlySpan<byte> name)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.Unlink(at, path, 0));
        }
    }

    /// <summary>Removes an empty folder.</summary>
    public int UnlinkDirectory(int at, ReadOnlySpan<byte> name)
    {
        fixed (byte* path = Terminate(name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.Unlink(at, path, RemoveFolder));
        }
    }

    /// <summary>Renames within a folder, over a non-folder that is there.</summary>
    public static int Rename(int at, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => Move(at, from, at, to);

    /// <summary>Renames into another folder of the file system, over a non-folder that is there.</summary>
    public static int Move(int fromAt, ReadOnlySpan<byte> from, int toAt, ReadOnlySpan<byte> to)
    {
        fixed (byte* source = Terminate(from, stackalloc byte[NameRoom]), path = Terminate(to, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.Rename(fromAt, source, toAt, path));
        }
    }

    /// <summary>Sets owner and group.</summary>
    public int ChangeOwner(UnixNode node, uint user, uint group)
    {
        if (node.IsOpen)
        {
            return (int)Result(Libc.ChangeOwner(node.Handle, user, group));
        }

        fixed (byte* path = Terminate(node.Name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.ChangeOwnerAt(node.At, path, user, group, NoFollow));
        }
    }

    /// <summary>Sets the permission bits.</summary>
    public int ChangeMode(UnixNode node, uint mode) =>
        node.IsOpen ? (int)Result(Libc.ChangeMode(node.Handle, mode)) : ChangeMode(node.At, node.Name, mode);

    /// <summary>Sets the modification time; the access time stays.</summary>
    public int SetModified(UnixNode node, ItemTime modified)
    {
        Libc.TimeSpecification* times = stackalloc Libc.TimeSpecification[2];
        times[0] = new Libc.TimeSpecification { Nanoseconds = OmitTime };
        times[1] = new Libc.TimeSpecification { Seconds = modified.Seconds, Nanoseconds = modified.Nanoseconds };
        if (node.IsOpen)
        {
            return (int)Result(Libc.SetTimes(node.Handle, times));
        }

        fixed (byte* path = Terminate(node.Name, stackalloc byte[NameRoom]))
        {
            return (int)Result(Libc.SetTimesAt(node.At, path, times, NoFollow));
        }
    }

    /// <summary>The name followed by NUL, in the given room where it fits.</summary>
    protected static Span<byte> Terminate(scoped ReadOnlySpan<byte> name, Span<byte> room)
    {
        Span<byte> terminated = name.Length < room.Length ? room[..(name.Length + 1)] : new byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;
        return terminated;
    }

    /// <summary>The result of a call, or its negative error number.</summary>
    protected static long Result(long result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    private static byte[] Until(byte* text) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).ToArray();
}
