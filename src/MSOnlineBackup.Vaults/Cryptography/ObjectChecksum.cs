using System.IO.Hashing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// The checksum with which every object below a store ends, whatever its version: XXH3-128 of everything before it, in its canonical
/// big-endian form; in pieces of any length. It lets anybody see damage without a key. Against intent it is nothing, whatever the function,
/// for it lies in the clear beside what it guards: the seals are.
/// </summary>
internal sealed class ObjectChecksum
{
    /// <summary>In bytes.</summary>
    public const int Length = 16;

    private readonly XxHash128 _hash = new();

    /// <summary>Whether a whole object ends with the checksum of what is before.</summary>
    public static bool IsRight(ReadOnlySpan<byte> content)
    {
        if (content.Length < Length)
        {
            return false;
        }

        Span<byte> computed = stackalloc byte[Length];
        XxHash128.Hash(content[..^Length], computed);
        return computed.SequenceEqual(content[^Length..]);
    }

    /// <summary>Writes the checksum of all before it to the end of an object.</summary>
    public static void WriteTo(Span<byte> content) => XxHash128.Hash(content[..^Length], content[^Length..]);

    /// <summary>Compares a whole object with the checksum at its end.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static void Check(string name, ReadOnlySpan<byte> content)
    {
        if (!IsRight(content))
        {
            throw Wrong(name);
        }
    }

    public void Append(ReadOnlySpan<byte> piece) => _hash.Append(piece);

    /// <summary>Compares the checksum of what was appended with the end of the object.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public void Expect(string name, ReadOnlySpan<byte> end)
    {
        Span<byte> computed = stackalloc byte[Length];
        _hash.GetHashAndReset(computed);
        if (!end.SequenceEqual(computed))
        {
            throw Wrong(name);
        }
    }

    private static BackupException Wrong(string name) => VaultDamage.Corrupt(name, "its checksum is not the one at its end");
}
