using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>What a Btrfs tells of a subvolume.</summary>
/// <param name="FileSystem">The file system's id.</param>
/// <param name="Id">The subvolume's number in it.</param>
/// <param name="IsReadOnly">Whether it cannot be written to.</param>
/// <param name="IsSnapshot">Whether it was made as a snapshot of another one.</param>
/// <param name="Uuid">Its own id, which no other subvolume of any file system has.</param>
internal sealed record Subvolume(Guid FileSystem, ulong Id, bool IsReadOnly, bool IsSnapshot, Guid Uuid);

/// <summary>Subvolumes and snapshots of Btrfs on Linux, by open folders. Errors are negative error numbers.</summary>
[SkipLocalsInit]
internal static unsafe partial class BtrfsSubvolumes
{
    /// <summary>The file system's name.</summary>
    public const string FileSystem = "btrfs";

    // The number of the top folder of every subvolume.
    private const ulong TopInode = 256;

    // That of the empty folder which stands for a subvolume in a snapshot of the one that holds it.
    private const ulong PlaceholderInode = 2;

    private const ulong SnapshotRequest = 0x5000_9417;
    private const ulong DestroyRequest = 0x5000_940F;
    private const ulong SearchRequest = 0xD000_9411;
    private const ulong FileSystemRequest = 0x8400_941F;
    private const ulong InfoRequest = 0x81F8_943C;
    private const ulong ChildrenRequest = 0xD000_943D;
    private const ulong NameRequest = 0xD000_943E;
    private const ulong MakeReadOnly = 2;
    private const ulong ReadOnlyFlag = 1;
    private const int ArgumentLength = 4096;

    /// <summary>Whether a folder of a Btrfs is the top of a subvolume.</summary>
    public static bool IsTop(in UnixStat stat) => stat.Inode == TopInode;

    /// <summary>Whether a folder stands for a subvolume that the snapshot which holds it does not have.</summary>
    public static bool IsPlaceholder(in UnixStat stat) => stat.Inode == PlaceholderInode;

    /// <summary>Whether this process may remove snapshots: who may make one and not remove it would leave it behind.</summary>
    public static bool MayRemove(int folder)
    {
        // A search for nothing, which takes the same right, and that of the machine itself, not of a container's.
        byte* argument = stackalloc byte[ArgumentLength];
        Clear(argument);
        return Control(folder, SearchRequest, argument) >= 0;
    }

    /// <summary>What a subvolume is, by its top folder.</summary>
    public static int Read(int top, out Subvolume subvolume)
    {
        subvolume = null!;
        byte* info = stackalloc byte[ArgumentLength];
        Clear(info);
        byte* system = stackalloc byte[ArgumentLength];
        Clear(system);
        int result = Control(top, InfoRequest, info);
        result = result < 0 ? result : Control(top, FileSystemRequest, system);
        if (result < 0)
        {
            return result;
        }

        // struct btrfs_ioctl_get_subvol_info_args: number, name[256], parent, folder, generation, flags, uuid, uuid of what it is a snapshot of.
        var parent = new ReadOnlySpan<byte>(info + 312, 16);
        subvolume = new Subvolume(
            new Guid(new ReadOnlySpan<byte>(system + 16, 16), bigEndian: true),
            *(ulong*)info,
            (*(ulong*)(info + 288) & ReadOnlyFlag) != 0,
            parent.ContainsAnyExcept((byte)0),
            new Guid(new ReadOnlySpan<byte>(info + 296, 16), bigEndian: true));
        return 0;
    }

    /// <summary>The subvolumes right below one, by their paths from its top, raw.</summary>
    public static int ListChildren(int top, List<byte[]> paths)
    {
        byte* argument = stackalloc byte[ArgumentLength];
        Clear(argument);
        while (true)
        {
            // struct btrfs_ioctl_get_subvol_rootref_args: the lowest number to tell, 255 pairs of subvolume and folder, how many; it goes on after an overflow.
            int result = Control(top, ChildrenRequest, argument);
            if (result < 0 && result != -Errno.Overflow)
            {
                return result;
            }

            int count = argument[4088];
            for (int i = 0; i < count; i++)
            {
                ulong* pair = (ulong*)(argument + 8 + (16 * i));
                if (TryReadPath(top, pair[0], pair[1]) is { } path)
                {
                    paths.Add(path);
                }
            }

            if (result >= 0)
            {
                return 0;
            }
        }
    }

    /// <summary>Makes a snapshot that can only be read.</summary>
    /// <param name="top">The top folder of what is to be kept.</param>
    /// <param name="folder">The folder that it appears in.</param>
    /// <param name="name">Its name there; nothing of this name may be there.</param>
    public static int MakeSnapshot(int top, int folder, ReadOnlySpan<byte> name)
    {
        // struct btrfs_ioctl_vol_args_v2: handle, transaction, flags, four unused, name.
        byte* argument = stackalloc byte[ArgumentLength];
        Clear(argument);
        *(long*)argument = top;
        *(ulong*)(argument + 16) = MakeReadOnly;
        name.CopyTo(new Span<byte>(argument + 56, 255));
        return Control(folder, SnapshotRequest, argument);
    }

    /// <summary>Removes a subvolume with all it holds.</summary>
    public static int Remove(int folder, ReadOnlySpan<byte> name)
    {
        byte* argument = stackalloc byte[ArgumentLength];
        Clear(argument);
        name.CopyTo(new Span<byte>(argument + 8, 255));
        return Control(folder, DestroyRequest, argument);
    }

    // Null for one that is gone by now, or that this account may not reach.
    private static byte[]? TryReadPath(int top, ulong subvolume, ulong folder)
    {
        // struct btrfs_ioctl_ino_lookup_user_args: folder, subvolume, name[256], path of the folder with a '/' at its end.
        byte* argument = stackalloc byte[ArgumentLength];
        Clear(argument);
        *(ulong*)argument = folder;
        *(ulong*)(argument + 8) = subvolume;
        if (Control(top, NameRequest, argument) < 0)
        {
            return null;
        }

        ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(argument + 16);
        return [.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(argument + 272), .. name];
    }

    private static void Clear(byte* argument) => new Span<byte>(argument, ArgumentLength).Clear();

    private static int Control(int handle, ulong request, byte* argument)
    {
        int result;
        do
        {
            result = RawControl(handle, request, argument);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);
        return result < 0 ? -Marshal.GetLastPInvokeError() : result;
    }

    [LibraryImport(Libc.Library, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int RawControl(int handle, ulong request, byte* argument);
}
