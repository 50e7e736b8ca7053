using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Ids;

/// <summary>The digits of ids, whatever they are the ids of. Their order is that of the numbers.</summary>
internal static class IdDigits
{
    /// <summary>Length of an id in bytes.</summary>
    public const int ByteCount = 16;

    /// <summary>Length of an id as text.</summary>
    public const int Count = 2 * ByteCount;

    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether a text is 32 lower-case hexadecimal digits.</summary>
    public static bool AreIn(ReadOnlySpan<char> text) => text.Length == Count && !text.ContainsAnyExcept(_digits);

    /// <summary>Reads digits; false where the text is anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UInt128 value)
    {
        value = default;
        return AreIn(text) && UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Reads exactly 16 bytes.</summary>
    public static UInt128 Read(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, ByteCount);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>16 bytes.</summary>
    public static byte[] ToBytes(UInt128 value)
    {
        byte[] bytes = new byte[ByteCount];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public static string ToText(UInt128 value) => value.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>A fresh id, for what has no type of its own.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(ByteCount));

    /// <summary>The refusal of a text that is no id.</summary>
    public static FormatException Invalid(ReadOnlySpan<char> text, string what) => new($"'{text}' is not the id of a {what}.");
}
