using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.Ids;

/// <summary>The id of a machine within a vault: by it a name has one place there, whatever the case of its letters.</summary>
[JsonConverter(typeof(IdJson<MachineId>))]
public readonly record struct MachineId : IVaultId<MachineId>
{
    private readonly UInt128 _value;

    private MachineId(UInt128 value) => _value = value;

    /// <summary>Reads an id from exactly 16 bytes.</summary>
    internal MachineId(ReadOnlySpan<byte> bytes) => _value = IdDigits.Read(bytes);

    /// <summary>Reads an id: 32 lower-case hexadecimal digits. False where the text is anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MachineId id)
    {
        bool isId = IdDigits.TryParse(text, out UInt128 value);
        id = new MachineId(value);
        return isId;
    }

    /// <summary>Reads an id: 32 lower-case hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static MachineId Parse(ReadOnlySpan<char> text) => TryParse(text, out MachineId id) ? id : throw IdDigits.Invalid(text, "machine");

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => IdDigits.ToText(_value);

    /// <summary>16 bytes.</summary>
    internal byte[] ToBytes() => IdDigits.ToBytes(_value);

    /// <summary>The id of the machine of this name: names are told apart without regard to case, so no two machines can race for one.</summary>
    /// <param name="vaultId">The vault: 32 hexadecimal digits.</param>
    /// <param name="machineName">The name.</param>
    internal static MachineId Of(string vaultId, string machineName) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"machine\n{vaultId}\n{machineName.ToLowerInvariant()}")).AsSpan(0, IdDigits.ByteCount));
}
