using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>What a sealed object is.</summary>
internal enum SealedObjectKind : byte
{
    IndexSegment = 1,
    RecoveryPoint = 2,
    Checkpoint = 3,

    /// <summary>Stands in a recovery point's place: a collector has shut this session out.</summary>
    Fence = 4,

    /// <summary>Packs that a collector means to delete.</summary>
    CondemnedPacks = 5,

    /// <summary>What was decided on the deletion of a recovery point.</summary>
    Deletion = 6,

    /// <summary>What becomes of the packs of a condemn record: which go, once for all.</summary>
    CollectionVerdict = 7,

    /// <summary>Sessions that a collector waits for.</summary>
    AwaitedSessions = 8,

    /// <summary>The master keys of a store before the one that seals this.</summary>
    KeyEpoch = 9,

    /// <summary>Packs that were read, and when.</summary>
    PackProofs = 12,

    /// <summary>What a trial restore has found.</summary>
    TrialProof = 13,

    /// <summary>Says that maintenance was done.</summary>
    MaintenanceProof = 14,

    /// <summary>Which packs a parity is of.</summary>
    ParityGroup = 16,

    /// <summary>The checksums of all shards of a parity and its packs.</summary>
    ParitySums = 17,

    /// <summary>What was decided on a protection group.</summary>
    Group = 18,
}

/// <summary>
/// The envelope of every small object that is read whole:
/// <c>"OBSO" | version 1 | kind | critical flags | epoch | salt 32 | sealed (plaintext length u32 | plaintext | zeros) | tag 16 | checksum 16</c>.
/// The key is derived from the salt, so the constant nonce is used once. Header, vault, store and the object's name are
/// authenticated: no object can stand in for another. The zeros make the object's length one of few.
/// </summary>
internal static class SealedObject
{
    /// <summary>More than any index segment has: 400,000 records with a pack for each are 48 MB.</summary>
    public const int MaxLength = 64 << 20;

    /// <summary>What is longer is no fence.</summary>
    public const int LongestFence = 256;

    public const int HeaderLength = SaltOffset + SaltLength;
    public static ReadOnlySpan<byte> Magic => "OBSO"u8;

    private const byte Version = 1;
    private const int VersionOffset = 4;
    private const int KindOffset = VersionOffset + 1;
    private const int FlagsOffset = KindOffset + 1;
    private const int EpochOffset = FlagsOffset + 1;
    private const int SaltOffset = EpochOffset + 1;
    private const int SaltLength = 32;
    private const int TagLength = 16;
    private const int Overhead = HeaderLength + sizeof(uint) + TagLength + ObjectChecksum.Length;

    public static byte[] Seal(StoreKeys keys, SealedObjectKind kind, string name, ReadOnlySpan<byte> plaintext)
    {
        byte[] content = new byte[LengthOf(kind, plaintext.Length)];
        Seal(keys, kind, name, plaintext, content);
        return content;
    }

    /// <summary>How long an object is.</summary>
    /// <param name="kind">Its kind. A fence has nothing to hide, and by its length it is told from a point.</param>
    /// <param name="plaintextLength">The length of what it holds.</param>
    public static int LengthOf(SealedObjectKind kind, int plaintextLength) =>
        kind == SealedObjectKind.Fence ? plaintextLength + Overhead : Padding.LengthFor(plaintextLength + Overhead, Padding.ObjectStep);

    /// <summary>Seals an object where it is to lie.</summary>
    /// <param name="keys">The store's keys.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="name">Its name, to which it is bound.</param>
    /// <param name="plaintext">What it holds.</param>
    /// <param name="content">Gets the object; as long as <see cref="LengthOf"/> says.</param>
    public static void Seal(StoreKeys keys, SealedObjectKind kind, string name, ReadOnlySpan<byte> plaintext, Span<byte> content)
    {
        content.Clear();
        Span<byte> header = content[..HeaderLength];
        Magic.CopyTo(header);
        header[VersionOffset] = Version;
        header[KindOffset] = (byte)kind;
        header[EpochOffset] = keys.Epoch;
        Span<byte> salt = header.Slice(SaltOffset, SaltLength);
        RandomNumberGenerator.Fill(salt);
        Span<byte> body = content[HeaderLength..^(TagLength + ObjectChecksum.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(body, plaintext.Length);
        plaintext.CopyTo(body[sizeof(uint)..]);
        using (var aes = new AesGcm(keys.ObjectKey(salt), TagLength))
        {
            aes.Encrypt(new byte[12], body, body, content.Slice(HeaderLength + body.Length, TagLength), AssociatedData(keys, header, name));
        }

        ObjectChecksum.WriteTo(content);
    }

    /// <summary>Whether an object can be one, by its beginning and its length alone: nothing that cannot is read any further.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="beginning">Its first <see cref="HeaderLength"/> bytes.</param>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static void Inspect(string name, long length, ReadOnlySpan<byte> beginning)
    {
        if (length is < Overhead or > MaxLength || !beginning.StartsWith(Magic))
        {
            throw VaultDamage.Corrupt(name, "it is not a sealed object");
        }
    }

    /// <summary>
    /// What an object says that it is, by its beginning: nothing shows that it is true but opening it. Null where the beginning is not one, or a later version's, which
    /// may say it otherwise.
    /// </summary>
    /// <param name="beginning">At least its first 8 bytes; anything shorter is refused.</param>
    public static SealedObjectKind? KindOf(ReadOnlySpan<byte> beginning) =>
        beginning.Length >= SaltOffset && beginning.StartsWith(Magic) && beginning[VersionOffset] == Version ? (SealedObjectKind)beginning[KindOffset] : null;

    /// <summary>Opens an object and says what it is. What stands behind the plaintext is passed over.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static ReadOnlyMemory<byte> Open(StoreKeys keys, string name, ReadOnlySpan<byte> content, out SealedObjectKind kind)
    {
        if (content.Length < Overhead || !content.StartsWith(Magic))
        {
            throw VaultDamage.Corrupt(name, "it is not a sealed object");
        }

        ReadOnlySpan<byte> header = content[..HeaderLength];
        if (header[VersionOffset] != Version || header[FlagsOffset] != 0 || !keys.Knows(header[EpochOffset]))
        {
            // Whatever it is, it ends with its checksum: a flipped bit must not pass for a newer version.
            ObjectChecksum.Check(name, content);
            throw header[VersionOffset] == Version && header[FlagsOffset] == 0 ? VaultDamage.KeyMissing(name, header[EpochOffset]) : new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Object '{name}' has format {header[VersionOffset]}, flags {header[FlagsOffset]} and key epoch {header[EpochOffset]}; this version reads format {Version} without flags.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        ReadOnlySpan<byte> body = content[HeaderLength..^(TagLength + ObjectChecksum.Length)];
        byte[] opened = new byte[body.Length];
        using var aes = new AesGcm(keys.ObjectKey(header.Slice(SaltOffset, SaltLength), header[EpochOffset]), TagLength);
        try
        {
            aes.Decrypt(new byte[12], body, content.Slice(HeaderLength + body.Length, TagLength), opened, AssociatedData(keys, header, name));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw VaultDamage.Corrupt(name, "it does not authenticate: it was altered or truncated, or it belongs elsewhere", e);
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(opened);
        if (length > opened.Length - sizeof(uint))
        {
            throw VaultDamage.Corrupt(name, "it claims more content than it has");
        }

        kind = (SealedObjectKind)header[KindOffset];
        return opened.AsMemory(sizeof(uint), (int)length);
    }

    private static byte[] AssociatedData(StoreKeys keys, ReadOnlySpan<byte> header, string name) =>
        [.. header, .. keys.Context, .. Encoding.ASCII.GetBytes(name)];
}
