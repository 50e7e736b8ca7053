using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

// What projectedfslib.h of the Windows SDK declares, on 64 bits; its documentation names the members in this order.

/// <summary>PRJ_CALLBACK_DATA.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjCallbackData
{
    public uint Size;
    public uint Flags;
    public nint Context;
    public int Command;
    public Guid File;
    public Guid Stream;
    public nint Path;
    public nint Version;
    public uint Process;
    public nint ProcessImage;
    public nint Instance;
}

/// <summary>PRJ_CALLBACKS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjCallbacks
{
    public nint StartDirectoryEnumeration;
    public nint EndDirectoryEnumeration;
    public nint GetDirectoryEnumeration;
    public nint GetPlaceholderInfo;
    public nint GetFileData;
    public nint QueryFileName;
    public nint Notification;
    public nint CancelCommand;
}

/// <summary>PRJ_FILE_BASIC_INFO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjFileBasicInfo
{
    public byte IsDirectory;
    public long FileSize;
    public long CreationTime;
    public long LastAccessTime;
    public long LastWriteTime;
    public long ChangeTime;
    public uint FileAttributes;

    /// <summary>What an item is.</summary>
    public static PrjFileBasicInfo Of(in ProjectedInfo info) => new()
    {
        IsDirectory = info.IsFolder ? (byte)1 : (byte)0,
        FileSize = info.IsFolder ? 0 : info.Size,
        CreationTime = info.Created,
        LastAccessTime = info.Written,
        LastWriteTime = info.Written,
        ChangeTime = info.Written,
        FileAttributes = (uint)info.Attributes,
    };
}

/// <summary>PRJ_PLACEHOLDER_VERSION_INFO: two ids of 128 bytes.</summary>
[InlineArray(256)]
internal struct PrjVersionInfo
{
    private byte _first;
}

/// <summary>PRJ_PLACEHOLDER_INFO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjPlaceholderInfo
{
    public PrjFileBasicInfo Basic;
    public uint EaBufferSize;
    public uint OffsetToFirstEa;
    public uint SecurityBufferSize;
    public uint OffsetToSecurityDescriptor;
    public uint StreamsInfoBufferSize;
    public uint OffsetToFirstStreamInfo;
    public PrjVersionInfo Version;
    public byte VariableData;
}

/// <summary>PRJ_NOTIFICATION_MAPPING.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjNotificationMapping
{
    public uint Mask;
    public nint Root;
}

/// <summary>PRJ_STARTVIRTUALIZING_OPTIONS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjStartOptions
{
    public uint Flags;
    public uint PoolThreadCount;
    public uint ConcurrentThreadCount;
    public nint Mappings;
    public uint MappingCount;
}

/// <summary>PRJ_VIRTUALIZATION_INSTANCE_INFO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PrjInstanceInfo
{
    public Guid Instance;
    public uint WriteAlignment;
}
