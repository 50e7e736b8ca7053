using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Ids;

/// <summary>
/// The id of a session, and of the recovery point that it makes. The order of ids is that of commits, whatever any clock says. A new one is higher
/// than all that its store holds: a Lamport clock in the form of a UUID of version 7, in whose 48 bits of time a clock has the lower part of the
/// range only.
/// </summary>
[JsonConverter(typeof(IdJson<SessionId>))]
public readonly record struct SessionId : IVaultId<SessionId>, IComparable<SessionId>
{
    /// <summary>How many digits an id is written with.</summary>
    internal const int DigitCount = IdDigits.Count;

    // The millisecond after the year 9999: no clock says more.
    private const ulong ClockEnd = 0xe677_d21f_dc00;

    // What begins with an f is no id. Between the two is room for 10^13 sessions after one of the year 9999.
    private const ulong End = 0xf000_0000_0000;

    private readonly UInt128 _value;

    private SessionId(UInt128 value) => _value = value;

    /// <summary>When the session was announced, by the clock of its machine, to the millisecond (UTC). Null where that is not a time.</summary>
    public DateTimeOffset? Announced => IsBeyondClocks ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)Time);

    /// <summary>Whether its time lies beyond what any clock says.</summary>
    internal bool IsBeyondClocks => Time >= ClockEnd;

    // The first 12 digits.
    private ulong Time => (ulong)(_value >> 80);

    /// <summary>Reads an id: 32 lower-case hexadecimal digits, of which the first is no f. False where the text is anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SessionId id)
    {
        bool isId = IdDigits.TryParse(text, out UInt128 value);
        id = new SessionId(value);
        return isId && id.Time < End;
    }

    /// <summary>Reads an id: 32 lower-case hexadecimal digits, of which the first is no f.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static SessionId Parse(ReadOnlySpan<char> text) => TryParse(text, out SessionId id) ? id : throw IdDigits.Invalid(text, "session");

    /// <summary>Reads an id from exactly 16 bytes. False where they are none: where the first digit would be an f.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out SessionId id)
    {
        id = new SessionId(IdDigits.Read(bytes));
        return id.Time < End;
    }

    /// <summary>Makes an id that is higher than another.</summary>
    /// <param name="now">What the clock says; any time.</param>
    /// <param name="highest">The other; null where there is none.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where no id is higher: somebody with the key has seen to that.</exception>
    internal static SessionId Create(DateTimeOffset now, SessionId? highest)
    {
        ulong time = (ulong)Math.Clamp(now.ToUnixTimeMilliseconds(), 0, (long)ClockEnd - 1);
        if (highest is { } other)
        {
            time = Math.Max(time, other.Time + 1);
        }

        if (time >= End)
        {
            throw VaultDamage.Corrupt($"{highest}", "no session can come after it, and no backup made it");
        }

        Span<byte> id = stackalloc byte[IdDigits.ByteCount];
        RandomNumberGenerator.Fill(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)(time >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(id[4..], (ushort)(time & 0xffff));
        return new SessionId(IdDigits.Read(id));
    }

    /// <summary>Whether its digits begin with these, in capital or small letters.</summary>
    public bool BeginsWith(string digits) => ToString().StartsWith(digits, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public int CompareTo(SessionId other) => _value.CompareTo(other._value);

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => IdDigits.ToText(_value);

    /// <summary>The first 12 digits, which tell of its time: for people.</summary>
    public string ToShortString() => ToString()[..12];

    /// <summary>16 bytes.</summary>
    internal byte[] ToBytes() => IdDigits.ToBytes(_value);

    /// <summary>Whether one was committed before another.</summary>
    public static bool operator <(SessionId left, SessionId right) => left.CompareTo(right) < 0;

    /// <summary>Whether one was committed after another.</summary>
    public static bool operator >(SessionId left, SessionId right) => left.CompareTo(right) > 0;

    /// <summary>Whether one was not committed after another.</summary>
    public static bool operator <=(SessionId left, SessionId right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one was not committed before another.</summary>
    public static bool operator >=(SessionId left, SessionId right) => left.CompareTo(right) >= 0;
}
