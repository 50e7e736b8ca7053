using System.Buffers.Binary;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>A command of a client.</summary>
/// <param name="Command">What is to be done.</param>
/// <param name="Flags">How.</param>
/// <param name="Cookie">What the answer is known by.</param>
/// <param name="Offset">From where, in bytes.</param>
/// <param name="Length">How many bytes.</param>
internal readonly record struct NbdRequest(NbdCommand Command, NbdCommandFlags Flags, ulong Cookie, ulong Offset, uint Length)
{
    /// <summary>Bytes of a command, without its data.</summary>
    public const int EncodedLength = 28;

    /// <summary>Reads a command; null where it is none.</summary>
    public static NbdRequest? Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes) == NbdProtocol.RequestMagic
        ? new NbdRequest(
            (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]))
        : null;

    /// <summary>Whether it is about bytes that a disk of a size has.</summary>
    public bool IsWithin(long size) => Length > 0 && Offset < (ulong)size && Length <= (ulong)size - Offset;
}
