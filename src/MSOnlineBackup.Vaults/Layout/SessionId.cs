using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>
/// Ids of sessions: 32 hexadecimal digits, whose order is that of commits, whatever any clock says. A new one is higher than all that its store
/// holds: a Lamport clock in the form of a UUID of version 7, in whose 48 bits of time a clock has the lower part of the range only.
/// </summary>
internal static class SessionId
{
    /// <summary>In bytes; twice as many digits.</summary>
    public const int Length = 16;

    // The millisecond after the year 9999: no clock says more.
    private const long ClockEnd = 0xe677_d21f_dc00;

    // What begins with an f is no id. Between the two is room for 10^13 sessions after one of the year 9999.
    private const long End = 0xf000_0000_0000;
    private const char FirstOfNone = 'f';

    /// <summary>Whether a text is the id of a session.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) => VaultLayout.IsId(text) && text[0] != FirstOfNone;

    /// <summary>Makes an id that is higher than another.</summary>
    /// <param name="now">What the clock says; any time.</param>
    /// <param name="highest">An id that is valid; null where there is none.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where no id is higher: somebody with the key has seen to that.</exception>
    public static string Create(DateTimeOffset now, string? highest)
    {
        long time = Math.Clamp(now.ToUnixTimeMilliseconds(), 0, ClockEnd - 1);
        if (highest is not null)
        {
            time = Math.Max(time, TimeOf(highest) + 1);
        }

        if (time >= End)
        {
            throw VaultDamage.Corrupt(highest!, "no session can come after it, and no backup made it");
        }

        Span<byte> id = stackalloc byte[Length];
        RandomNumberGenerator.Fill(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)(time >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(id[4..], (ushort)(time & 0xffff));
        return Convert.ToHexStringLower(id);
    }

    /// <summary>Whether its time lies beyond what any clock says.</summary>
    public static bool IsBeyondClocks(string id) => TimeOf(id) >= ClockEnd;

    private static long TimeOf(string id) => Convert.ToInt64(id[..12], 16);
}
