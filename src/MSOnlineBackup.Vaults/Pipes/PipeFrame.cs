using System.Buffers.Binary;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>What a frame says. The numbers are part of the protocol.</summary>
internal enum PipeFrameKind : byte
{
    /// <summary>To the server, once, first: how the vault is wanted.</summary>
    Open = 1,

    /// <summary>The server's answer to that: it has the vault.</summary>
    Opened = 2,

    /// <summary>To the server: an object is to be created.</summary>
    Create = 3,

    /// <summary>To the server: a part of an object, as far as <see cref="Grant"/> allowed it. From it: a part of what was read.</summary>
    Data = 4,

    /// <summary>From the server: it has room for the whole object. To it: one more page of a listing may come.</summary>
    Grant = 5,

    /// <summary>To the server.</summary>
    Read = 6,

    /// <summary>To the server.</summary>
    Stat = 7,

    /// <summary>To the server.</summary>
    List = 8,

    /// <summary>From the server: some objects of a listing.</summary>
    Page = 9,

    /// <summary>To the server.</summary>
    Delete = 10,

    /// <summary>To the server: what is being written.</summary>
    Measure = 11,

    /// <summary>To the server: nobody waits for a call any more. It is answered all the same.</summary>
    Cancel = 12,

    /// <summary>From the server: a call was done.</summary>
    Done = 13,

    /// <summary>From the server: a call failed, or, with the number 0, all did.</summary>
    Failed = 14,

    /// <summary>To the server that has started this program: what is to be done?</summary>
    Order = 15,

    /// <summary>To that server: how far it is, or how it ended.</summary>
    Tell = 16,
}

/// <summary>One frame: the length of its body (4 bytes, little endian), its kind, the number of its call (4 bytes), its body.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Call">Which call it is of; 0 for the connection.</param>
/// <param name="Body">What belongs to it, at most <see cref="MostBody"/> bytes.</param>
internal readonly record struct PipeFrame(PipeFrameKind Kind, uint Call, ReadOnlyMemory<byte> Body)
{
    public const int HeadLength = 9;

    /// <summary>No peer ever keeps more for one frame.</summary>
    public const int MostBody = 256 << 10;

    /// <summary>Writes the head.</summary>
    public static void EncodeHead(Span<byte> head, PipeFrameKind kind, uint call, int length)
    {
        BinaryPrimitives.WriteInt32LittleEndian(head, length);
        head[4] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(head[5..], call);
    }

    /// <summary>Takes a head apart.</summary>
    /// <exception cref="Errors.BackupException">VaultProgramUnusable where it is none.</exception>
    public static (PipeFrameKind Kind, uint Call, int Length) DecodeHead(ReadOnlySpan<byte> head)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(head);
        var kind = (PipeFrameKind)head[4];
        return length > MostBody || !Enum.IsDefined(kind)
            ? throw PipeErrors.Garbled("a frame that is none")
            : (kind, BinaryPrimitives.ReadUInt32LittleEndian(head[5..]), (int)length);
    }
}
