using System.IO.Hashing;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Packs;

/// <summary>
/// The checksum with which an object of a store ends: of everything before it, in pieces of any length. It lets anybody see damage without
/// a key. Against intent it is nothing, whatever the function, for it lies in the clear beside what it guards: the seals are. So packs,
/// nearly all that is written, have XXH3-128 since their version 2; sealed objects, and packs of version 1, have SHA-256, which takes ten
/// times as long.
/// </summary>
internal sealed class ObjectChecksum : IDisposable
{
    /// <summary>In bytes, whatever the function: XXH3-128, in its canonical big-endian form, is followed by 16 zero bytes.</summary>
    public const int Length = 32;

    private readonly IncrementalHash? _sha256;
    private readonly XxHash128? _xxh128;

    private ObjectChecksum(IncrementalHash sha256) => _sha256 = sha256;

    private ObjectChecksum(XxHash128 xxh128) => _xxh128 = xxh128;

    /// <summary>The checksum of a sealed object: <see cref="Cryptography.SealedObject"/>.</summary>
    public static ObjectChecksum OfSealedObject() => new(IncrementalHash.CreateHash(HashAlgorithmName.SHA256));

    /// <summary>The checksum that packs of a version have.</summary>
    /// <param name="version">One that <see cref="PackReader.ReadVersion"/> lets pass.</param>
    public static ObjectChecksum OfPack(byte version) =>
        version == PackFormat.FirstVersion ? new(IncrementalHash.CreateHash(HashAlgorithmName.SHA256)) : new(new XxHash128());

    /// <summary>Compares a whole pack with the checksum at its end.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt; VaultFormatUnsupported where its version's checksum is not known.</exception>
    public static void Check(string name, ReadOnlySpan<byte> pack)
    {
        using ObjectChecksum checksum = OfPack(PackReader.ReadVersion(name, pack));
        checksum.Append(pack[..^Length]);
        checksum.Expect(name, pack[^Length..]);
    }

    public void Append(ReadOnlySpan<byte> piece)
    {
        _sha256?.AppendData(piece);
        _xxh128?.Append(piece);
    }

    /// <summary>Writes the checksum of what was appended.</summary>
    public void Finish(Span<byte> destination)
    {
        destination[..Length].Clear();
        _sha256?.GetHashAndReset(destination);
        _xxh128?.GetHashAndReset(destination);
    }

    /// <summary>Compares the checksum of what was appended with the end of the object.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public void Expect(string name, ReadOnlySpan<byte> end)
    {
        Span<byte> computed = stackalloc byte[Length];
        Finish(computed);
        if (!end.SequenceEqual(computed))
        {
            throw VaultDamage.Corrupt(name, "its checksum is not the one at its end");
        }
    }

    public void Dispose() => _sha256?.Dispose();
}
