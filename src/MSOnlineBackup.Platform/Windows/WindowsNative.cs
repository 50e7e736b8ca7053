using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>
/// The calls of Windows 10 and later. Items are opened by a name in an open folder, as the kernel does it, so that no
/// path is too long, no link is followed and no name (trailing dots, device names) is read as something else.
/// Results: 0 or a Win32 error.
/// </summary>
internal static unsafe partial class WindowsNative
{
    public const uint ReadData = 0x1;
    public const uint WriteData = 0x2;
    public const uint Traverse = 0x20;
    public const uint ReadAttributes = 0x80;
    public const uint WriteAttributes = 0x100;
    public const uint Delete = 0x1_0000;
    public const uint ReadControl = 0x2_0000;
    public const uint WriteAccessList = 0x4_0000;
    public const uint WriteOwner = 0x8_0000;

    public const uint OpenExisting = 1;
    public const uint CreateNew = 2;
    public const uint OpenOrCreate = 3;

    public const uint DirectoryOnly = 0x1;
    public const uint Sequential = 0x4;
    public const uint NoDirectory = 0x40;
    public const uint ReparsePointItself = 0x20_0000;

    public const uint NormalAttribute = 0x80;

    public const int InvalidFunction = 1;
    public const int NotFound = 2;
    public const int PathNotFound = 3;
    public const int AccessDenied = 5;
    public const int NotSameDevice = 17;
    public const int NoMoreFiles = 18;
    public const int WriteProtected = 19;
    public const int SharingViolation = 32;
    public const int HandleDiskFull = 39;
    public const int NotSupported = 50;
    public const int FileExists = 80;
    public const int InvalidParameter = 87;
    public const int DiskFull = 112;
    public const int NotImplemented = 120;
    public const int InsufficientBuffer = 122;
    public const int InvalidName = 123;
    public const int InvalidLevel = 124;
    public const int AlreadyExists = 183;
    public const int MoreData = 234;
    public const int NotDirectory = 267;
    public const int TooManyLinks = 1142;
    public const int QuotaExceeded = 1295;

    // Owner, group and access list. The audit list needs a privilege and is the machine's, not the file's.
    private const uint SecurityParts = 0x1 | 0x2 | AccessListPart;
    private const uint AccessListPart = 0x4;

    private const uint Synchronize = 0x10_0000;
    private const uint ShareAll = 0x7;
    private const uint Synchronous = 0x20;
    private const uint BackupIntent = 0x4000;
    private const uint CaseInsensitive = 0x40;

    private const uint GetReparsePoint = 0x900A8;
    private const uint SetReparsePoint = 0x900A4;
    private const uint SetSparse = 0x900C4;
    private const uint QueryAllocatedRanges = 0x940CF;

    /// <summary>Opens or creates an item.</summary>
    /// <param name="folder">The folder that holds it; null where the name is a whole path of the kernel (<c>\??\C:\…</c>).</param>
    /// <param name="name">Its name; empty for the folder itself.</param>
    /// <param name="access">What will be done.</param>
    /// <param name="disposition">Whether it must, may or must not exist.</param>
    /// <param name="options">What it must be.</param>
    /// <param name="handle">The handle.</param>
    public static int Open(SafeFileHandle? folder, string name, uint access, uint disposition, uint options, out SafeFileHandle handle)
    {
        bool held = false;
        try
        {
            folder?.DangerousAddRef(ref held);
            fixed (char* text = name)
            {
                var unicode = new UnicodeString { Length = (ushort)(name.Length * 2), MaximumLength = (ushort)(name.Length * 2), Buffer = text };
                var attributes = new ObjectAttributes
                {
                    Length = (uint)sizeof(ObjectAttributes),
                    RootDirectory = held ? folder!.DangerousGetHandle() : 0,
                    ObjectName = &unicode,
                    Attributes = CaseInsensitive,
                };
                IoStatus status;
                nint opened;
                int result = NtCreateFile(
                    &opened, access | Synchronize, &attributes, &status, null, 0, ShareAll, disposition, options | Synchronous | BackupIntent, null, 0);
                handle = new SafeFileHandle(result >= 0 ? opened : -1, ownsHandle: true);
                return ToError(result);
            }
        }
        finally
        {
            if (held)
            {
                folder!.DangerousRelease();
            }
        }
    }

    /// <summary>Everything a listing would tell of an open item, and its hard links.</summary>
    public static int Query(SafeFileHandle handle, byte[] name, out WindowsRecord record)
    {
        record = new WindowsRecord { Name = name };
        Span<byte> basic = stackalloc byte[40];
        Span<byte> standard = stackalloc byte[24];
        Span<byte> tag = stackalloc byte[8];
        Span<byte> id = stackalloc byte[24];
        int result = Information(handle, 0, basic);
        result = result != 0 ? result : Information(handle, 1, standard);
        result = result != 0 ? result : Information(handle, 9, tag);
        if (result != 0)
        {
            return result;
        }

        bool hasId = Information(handle, 18, id) == 0;
        record = new WindowsRecord
        {
            Name = name,
            Created = BinaryPrimitives.ReadInt64LittleEndian(basic),
            Modified = BinaryPrimitives.ReadInt64LittleEndian(basic[16..]),
            Changed = BinaryPrimitives.ReadInt64LittleEndian(basic[24..]),
            Size = BinaryPrimitives.ReadInt64LittleEndian(standard[8..]),
            LinkCount = BinaryPrimitives.ReadUInt32LittleEndian(standard[16..]),
            Attributes = BinaryPrimitives.ReadUInt32LittleEndian(tag),
            ReparseTag = BinaryPrimitives.ReadUInt32LittleEndian(tag[4..]),
            Volume = hasId ? BinaryPrimitives.ReadUInt64LittleEndian(id) : 0,
            FileId = hasId ? WindowsRecord.FoldId(id[8..]) : 0,
        };
        return 0;
    }

    /// <summary>Lists an open folder, sorted by raw names.</summary>
    public static int List(SafeFileHandle folder, List<WindowsRecord> records)
    {
        const int WithIds = 19;
        const int WithIdsFromStart = 20;
        const int Full = 14;
        const int FullFromStart = 15;
        records.Clear();
        byte[] buffer = new byte[64 << 10];
        bool withIds = true;
        int result = Information(folder, WithIdsFromStart, buffer);
        if (IsUnanswered(result))
        {
            withIds = false;
            result = Information(folder, FullFromStart, buffer);
        }

        while (result == 0)
        {
            WindowsRecord.Parse(buffer, withIds, records);
            result = Information(folder, withIds ? WithIds : Full, buffer);
        }

        records.Sort(static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));

        // An empty root of a volume has not even "." and "..".
        return result is NoMoreFiles or NotFound ? 0 : result;
    }

    /// <summary>The alternate streams of an open item.</summary>
    public static int ListStreams(SafeFileHandle handle, out List<StreamRecord> streams)
    {
        const int HandleEnd = 38;

        byte[] buffer = new byte[4 << 10];
        int result = Information(handle, 7, buffer);
        while (result == MoreData && buffer.Length < 16 << 20)
        {
            buffer = new byte[buffer.Length * 4];
            result = Information(handle, 7, buffer);
        }

        // A folder without streams has no list of them, a file system without streams no such question.
        streams = result == 0 ? StreamRecord.Parse(buffer) : [];
        return result == HandleEnd || IsUnanswered(result) ? 0 : result;
    }

    /// <summary>The security descriptor of an open item, self-relative.</summary>
    public static int GetSecurity(SafeFileHandle handle, out byte[] descriptor)
    {
        descriptor = new byte[512];
        while (true)
        {
            fixed (byte* buffer = descriptor)
            {
                if (GetKernelObjectSecurity(handle, SecurityParts, buffer, (uint)descriptor.Length, out uint needed))
                {
                    descriptor = descriptor[..(int)Math.Min(needed, (uint)descriptor.Length)];
                    return 0;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error != InsufficientBuffer)
                {
                    descriptor = [];
                    return error;
                }

                descriptor = new byte[needed];
            }
        }
    }

    /// <summary>Sets owner, group and access list; where the owner is not this account's to set, the access list alone.</summary>
    public static int SetSecurity(SafeFileHandle handle, ReadOnlySpan<byte> descriptor, bool withOwner)
    {
        fixed (byte* buffer = descriptor)
        {
            return SetKernelObjectSecurity(handle, withOwner ? SecurityParts : AccessListPart, buffer) ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Sets times (FILETIME; 0 leaves one) and attributes.</summary>
    public static int SetBasic(SafeFileHandle handle, long created, long modified, uint attributes)
    {
        byte* information = stackalloc byte[40];
        var span = new Span<byte>(information, 40);
        span.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(span, created);
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], modified);
        BinaryPrimitives.WriteUInt32LittleEndian(span[32..], attributes);
        return SetFileInformationByHandle(handle, 0, information, 40) ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Deletes an item when its handle is closed.</summary>
    public static int DeleteOnClose(SafeFileHandle handle)
    {
        byte delete = 1;
        return SetFileInformationByHandle(handle, 4, &delete, 1) ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Gives an open item another name in its folder.</summary>
    /// <param name="handle">The item.</param>
    /// <param name="folder">The folder that holds it.</param>
    /// <param name="name">The name.</param>
    /// <param name="replace">Whether what has the name is replaced, also where it is read-only.</param>
    public static int Rename(SafeFileHandle handle, SafeFileHandle folder, string name, bool replace)
    {
        int error = SetName(handle, folder, name, replace, 10);
        if (error != AccessDenied || !replace)
        {
            return error;
        }

        // Read-only stands in the way of being replaced, and of nothing else.
        if (Open(folder, name, WriteAttributes, OpenExisting, ReparsePointItself, out SafeFileHandle existing) == 0)
        {
            using (existing)
            {
                _ = SetBasic(existing, 0, 0, NormalAttribute);
            }
        }

        return SetName(handle, folder, name, replace, 10);
    }

    /// <summary>Gives an open file a further name in a folder.</summary>
    public static int Link(SafeFileHandle handle, SafeFileHandle folder, string name, bool replace) => SetName(handle, folder, name, replace, 11);

    /// <summary>The reparse data of an item opened as itself.</summary>
    public static int GetReparse(SafeFileHandle handle, out byte[] data)
    {
        data = new byte[ReparseData.MaxLength];
        fixed (byte* buffer = data)
        {
            if (!DeviceIoControl(handle, GetReparsePoint, null, 0, buffer, (uint)data.Length, out uint length, 0))
            {
                data = [];
                return Marshal.GetLastPInvokeError();
            }

            data = data[..(int)length];
            return 0;
        }
    }

    /// <summary>Makes an empty file or folder a reparse point.</summary>
    public static int SetReparse(SafeFileHandle handle, ReadOnlySpan<byte> data)
    {
        fixed (byte* buffer = data)
        {
            return DeviceIoControl(handle, SetReparsePoint, buffer, (uint)data.Length, null, 0, out _, 0) ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Lets a file have holes.</summary>
    public static int MakeSparse(SafeFileHandle handle) =>
        DeviceIoControl(handle, SetSparse, null, 0, null, 0, out _, 0) ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>The first run of data at or after an offset. False where the file system does not tell.</summary>
    public static bool TryFindData(SafeFileHandle handle, long offset, long end, out long start, out long length)
    {
        long* asked = stackalloc long[2] { offset, end - offset };
        long* found = stackalloc long[2] { end, 0 };
        bool told = DeviceIoControl(handle, QueryAllocatedRanges, (byte*)asked, 16, (byte*)found, 16, out uint count, 0)
            || Marshal.GetLastPInvokeError() == MoreData;
        start = Math.Max(found[0], offset);
        length = count == 0 ? 0 : Math.Min(found[0] + found[1], end) - start;
        return told;
    }

    /// <summary>The name of the file system that an open item is on; null where it does not tell.</summary>
    public static string? FileSystemOf(SafeFileHandle handle)
    {
        const int Room = 64;
        char* name = stackalloc char[Room];
        return GetVolumeInformationByHandle(handle, null, 0, null, null, null, name, Room) ? new string(name) : null;
    }

    private static int SetName(SafeFileHandle handle, SafeFileHandle? folder, string name, bool replace, int kind)
    {
        bool held = false;
        try
        {
            folder?.DangerousAddRef(ref held);
            int length = sizeof(NameInformation) + (name.Length * 2);
            byte[] buffer = new byte[length];
            fixed (byte* start = buffer)
            {
                var information = (NameInformation*)start;
                information->Replace = replace ? 1u : 0u;
                information->RootDirectory = held ? folder!.DangerousGetHandle() : 0;
                information->NameLength = (uint)(name.Length * 2);
                name.CopyTo(new Span<char>(&information->FirstUnit, name.Length));
                IoStatus status;
                return ToError(NtSetInformationFile(handle, &status, start, (uint)length, kind));
            }
        }
        finally
        {
            if (held)
            {
                folder!.DangerousRelease();
            }
        }
    }

    private static int Information(SafeFileHandle handle, int kind, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return GetFileInformationByHandleEx(handle, kind, start, (uint)buffer.Length) ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    // What file systems answer that do not know a question: each redirector has its own way.
    private static bool IsUnanswered(int error) => error is InvalidFunction or NotSupported or InvalidParameter or NotImplemented or InvalidLevel;

    private static int ToError(int status) => status >= 0 ? 0 : (int)RtlNtStatusToDosError(status);

    [LibraryImport("ntdll")]
    private static partial int NtCreateFile(
        nint* handle,
        uint access,
        ObjectAttributes* attributes,
        IoStatus* status,
        long* allocationSize,
        uint fileAttributes,
        uint share,
        uint disposition,
        uint options,
        void* extendedAttributes,
        uint extendedAttributesLength);

    [LibraryImport("ntdll")]
    private static partial int NtSetInformationFile(SafeFileHandle handle, IoStatus* status, void* information, uint length, int kind);

    [LibraryImport("ntdll")]
    private static partial uint RtlNtStatusToDosError(int status);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandleEx(SafeFileHandle handle, int kind, void* information, uint length);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetFileInformationByHandle(SafeFileHandle handle, int kind, void* information, uint length);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DeviceIoControl(
        SafeFileHandle handle, uint code, byte* input, uint inputLength, byte* output, uint outputLength, out uint returned, nint overlapped);

    [LibraryImport("kernel32", EntryPoint = "GetVolumeInformationByHandleW", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetVolumeInformationByHandle(
        SafeFileHandle handle, char* label, uint labelLength, uint* serial, uint* longestName, uint* flags, char* name, uint nameLength);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetKernelObjectSecurity(SafeFileHandle handle, uint parts, byte* descriptor, uint length, out uint needed);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetKernelObjectSecurity(SafeFileHandle handle, uint parts, byte* descriptor);

    private struct UnicodeString
    {
        public ushort Length;
        public ushort MaximumLength;
        public char* Buffer;
    }

    private struct ObjectAttributes
    {
        public uint Length;
        public nint RootDirectory;
        public UnicodeString* ObjectName;
        public uint Attributes;
        public void* SecurityDescriptor;
        public void* SecurityQualityOfService;
    }

    private struct IoStatus
    {
        public nint Status;
        public nint Information;
    }

    // FILE_RENAME_INFORMATION and FILE_LINK_INFORMATION.
    private struct NameInformation
    {
        public uint Replace;
        public nint RootDirectory;
        public uint NameLength;
        public char FirstUnit;
    }
}
