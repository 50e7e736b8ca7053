using System.Buffers.Binary;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>
/// What each side sends first, without waiting for the other: eight bytes that nothing else begins with, and which versions of the protocol it speaks.
/// This never changes, so that any two versions can tell each other apart.
/// </summary>
internal static class PipeGreeting
{
    /// <summary>The version that this code speaks.</summary>
    public const ushort Version = 1;

    public const int Length = 12;

    private static ReadOnlySpan<byte> Magic => "OBSTORE\n"u8;

    /// <summary>This side's greeting.</summary>
    public static byte[] Encode()
    {
        byte[] greeting = new byte[Length];
        Magic.CopyTo(greeting);
        BinaryPrimitives.WriteUInt16LittleEndian(greeting.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(greeting.AsSpan(10), Version);
        return greeting;
    }

    /// <summary>Whether something is a greeting that has not come to its end.</summary>
    public static bool IsBeginning(ReadOnlySpan<byte> greeting) =>
        greeting.Length < Length && greeting[..Math.Min(greeting.Length, Magic.Length)].SequenceEqual(Magic[..Math.Min(greeting.Length, Magic.Length)]);

    /// <summary>Checks the other side's.</summary>
    /// <exception cref="Errors.BackupException">VaultProgramUnusable where it is none, or has no version that this one speaks.</exception>
    public static void Decode(ReadOnlySpan<byte> greeting)
    {
        if (greeting.Length < Length || !greeting[..8].SequenceEqual(Magic))
        {
            throw PipeErrors.NotObengine(greeting);
        }

        (ushort least, ushort most) = (BinaryPrimitives.ReadUInt16LittleEndian(greeting[8..]), BinaryPrimitives.ReadUInt16LittleEndian(greeting[10..]));
        if (least > Version || most < Version)
        {
            throw PipeErrors.OtherVersion(least, most);
        }
    }
}
