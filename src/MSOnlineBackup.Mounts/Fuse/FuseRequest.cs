using System.Buffers.Binary;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>What the kernel can ask of a file system that is only read; the numbers of <c>enum fuse_opcode</c>.</summary>
internal enum FuseOperation : uint
{
    /// <summary>What a folder has under a name.</summary>
    LookUp = 1,

    /// <summary>An item is not remembered any more. No answer.</summary>
    Forget = 2,

    /// <summary>What an item is.</summary>
    GetAttributes = 3,

    /// <summary>Where a symbolic link points.</summary>
    ReadLink = 5,

    /// <summary>A file is opened.</summary>
    Open = 14,

    /// <summary>Bytes of a file.</summary>
    Read = 15,

    /// <summary>How much room there is.</summary>
    StatFileSystem = 17,

    /// <summary>The value of an extended attribute.</summary>
    GetXattr = 22,

    /// <summary>The names of extended attributes.</summary>
    ListXattr = 23,

    /// <summary>The beginning: what both sides can.</summary>
    Init = 26,

    /// <summary>A folder is opened.</summary>
    OpenFolder = 27,

    /// <summary>A folder is closed.</summary>
    ReleaseFolder = 29,

    /// <summary>A request is not waited for any more.</summary>
    Interrupt = 36,

    /// <summary>The end.</summary>
    Destroy = 38,

    /// <summary>Many items are not remembered any more. No answer.</summary>
    BatchForget = 42,

    /// <summary>What a folder holds, with what each item is.</summary>
    ReadFolderPlus = 44,

    /// <summary>Where data, or a hole, begins.</summary>
    Seek = 46,
}

/// <summary>A request of the kernel: <c>struct fuse_in_header</c>, and what follows it.</summary>
internal readonly ref struct FuseRequest
{
    /// <summary>Length of the header, in bytes.</summary>
    public const int HeaderLength = 40;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ArgumentException">It is shorter than it says, or than a header.</exception>
    public FuseRequest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(bytes) > bytes.Length)
        {
            throw new ArgumentException("It is shorter than it says.", nameof(bytes));
        }

        _bytes = bytes[..(int)BinaryPrimitives.ReadUInt32LittleEndian(bytes)];
    }

    /// <summary>By which the answer names a request, whatever else is wrong with that.</summary>
    public static ulong UniqueOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);

    /// <summary>What is asked.</summary>
    public FuseOperation Operation => (FuseOperation)BinaryPrimitives.ReadUInt32LittleEndian(_bytes[4..]);

    /// <summary>The item that it is about.</summary>
    public ulong Item => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[16..]);

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Body => _bytes[HeaderLength..];

    /// <summary>A number of 32 bits in the body; 0 where that ends before.</summary>
    public uint Number(int at) => Body.Length >= at + sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(Body[at..]) : 0;

    /// <summary>A number of 64 bits in the body; 0 where that ends before.</summary>
    public ulong Long(int at) => Body.Length >= at + sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(Body[at..]) : 0;

    /// <summary>A name in the body, up to its NUL.</summary>
    public ReadOnlySpan<byte> Name(int at)
    {
        ReadOnlySpan<byte> name = Body.Length > at ? Body[at..] : default;
        int end = name.IndexOf((byte)0);
        return end < 0 ? name : name[..end];
    }
}
