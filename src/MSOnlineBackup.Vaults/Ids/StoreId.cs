using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.Ids;

/// <summary>The id of a chunk store: random.</summary>
[JsonConverter(typeof(IdJson<StoreId>))]
public readonly record struct StoreId : IVaultId<StoreId>
{
    private readonly UInt128 _value;

    private StoreId(UInt128 value) => _value = value;

    /// <summary>Reads an id from exactly 16 bytes.</summary>
    internal StoreId(ReadOnlySpan<byte> bytes) => _value = IdDigits.Read(bytes);

    /// <summary>Reads an id: 32 lower-case hexadecimal digits. False where the text is anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out StoreId id)
    {
        bool isId = IdDigits.TryParse(text, out UInt128 value);
        id = new StoreId(value);
        return isId;
    }

    /// <summary>Reads an id: 32 lower-case hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static StoreId Parse(ReadOnlySpan<char> text) => TryParse(text, out StoreId id) ? id : throw IdDigits.Invalid(text, "chunk store");

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => IdDigits.ToText(_value);

    /// <summary>16 bytes.</summary>
    internal byte[] ToBytes() => IdDigits.ToBytes(_value);

    /// <summary>The id of a new chunk store.</summary>
    internal static StoreId Create() => new(RandomNumberGenerator.GetBytes(IdDigits.ByteCount));
}
