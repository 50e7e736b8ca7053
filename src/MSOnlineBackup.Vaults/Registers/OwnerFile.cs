using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// The file in which the owner of a vault keeps the owner's key, apart from the vault and from its machines: JSON in ASCII, the private half sealed under a
/// passphrase as a chunk store's master key is, in a key slot. It bears what editors and PowerShell do to texts.
/// </summary>
public static class OwnerFile
{
    /// <summary>What the names of such files end with.</summary>
    public const string Extension = ".VaultOwner";

    private const string Kind = "MSOnlineBackup vault owner";
    private const string NoPublicKey = "the owner's public key in it is not valid";
    private const int Format = 1;

    // In UTF-16, too.
    private const int MaxLength = 128 << 10;

    /// <summary>Writes a file that was not there; readable by this account only.</summary>
    /// <param name="path">The file, in a folder that is there.</param>
    /// <param name="owner">The owner.</param>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="options">The engine's options.</param>
    /// <exception cref="BackupException">PassphraseInvalid; OwnerFileInvalid where the file exists, or cannot be written.</exception>
    public static void Write(string path, NewOwner owner, string passphrase, VaultOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(options);
        string file = Path.GetFullPath(path);
        byte[] content = Encode(owner, passphrase, options);
        try
        {
            PrivateFile.Create(file, content);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw Invalid(file, "it exists already, and may be the last copy of another owner's key", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, $"it cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="passphrase">Its passphrase.</param>
    /// <param name="vaultId">The vault whose owner is wanted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerFileInvalid, OwnerForeign where it is another vault's, PassphraseRejected.</exception>
    internal static async Task<OwnerKey> OpenAsync(string path, string passphrase, string vaultId, CancellationToken cancellationToken)
    {
        string file = Path.GetFullPath(path);
        OwnerFileContent content = Decode(await ReadAsync(file, cancellationToken).ConfigureAwait(false), file);
        if (content.VaultId != vaultId)
        {
            throw OwnerErrors.Foreign(content.VaultName ?? content.Location, $"'{file}' is of the vault {content.VaultId}, and not of {vaultId}");
        }

        OwnerIdentity identity = OwnerIdentity.TryParse(content.Owner) ?? throw Invalid(file, NoPublicKey);
        byte[] secret = TryOpenSlot(content, passphrase, file) ?? throw new BackupException(
            BackupErrorId.PassphraseRejected,
            $"The owner's file '{file}' does not open with this passphrase.",
            "Check the passphrase (capital letters, spaces at the ends). It is the owner's, and may differ from the vault's.",
            file);
        OwnerKey? key = OwnerKey.TryImport(secret, identity);
        CryptographicOperations.ZeroMemory(secret);
        return key ?? throw Invalid(file, "its private and its public key do not belong together");
    }

    /// <summary>Whose a file is, by what stands in it in the clear: needs no passphrase, and shows no more than that somebody wrote it so.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerFileInvalid.</exception>
    internal static async Task<(string VaultId, OwnerIdentity Owner)> ReadOwnerAsync(string path, CancellationToken cancellationToken)
    {
        string file = Path.GetFullPath(path);
        OwnerFileContent content = Decode(await ReadAsync(file, cancellationToken).ConfigureAwait(false), file);
        return (content.VaultId, OwnerIdentity.TryParse(content.Owner) ?? throw Invalid(file, NoPublicKey));
    }

    internal static byte[] Encode(NewOwner owner, string passphrase, VaultOptions options)
    {
        byte[] secret = owner.Key.ExportSecret();
        var slot = KeySlot.Create(
            passphrase,
            secret,
            Identity(owner.VaultId, owner.Key.Identity),
            options.Derivation ?? PassphraseDerivation.Best,
            label: null,
            options.TimeProvider.GetUtcNow());
        CryptographicOperations.ZeroMemory(secret);
        var content = new OwnerFileContent(
            Kind,
            Format,
            owner.VaultId,
            owner.Location,
            owner.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            owner.Key.Identity.PublicKey,
            slot.Encode(),
            owner.VaultName);
        return [.. JsonSerializer.SerializeToUtf8Bytes(content, OwnerFileJson.Default.OwnerFileContent), (byte)'\n'];
    }

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            var info = new FileInfo(file);
            return info.Exists && info.Length > MaxLength
                ? throw Invalid(file, "it is far too large")
                : await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Invalid(file, "there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static OwnerFileContent Decode(byte[] text, string file)
    {
        try
        {
            return JsonSerializer.Deserialize(TextArmour.ReadText(text), OwnerFileJson.Default.OwnerFileContent) switch
            {
                { Kind: Kind, Format: > Format } => throw Invalid(file, "a newer version of MSOnlineBackup made it"),
                { Kind: Kind, Format: Format } content => content,
                _ => throw Invalid(file, "it is not an owner's file"),
            };
        }
        catch (JsonException e)
        {
            throw Invalid(file, "it is damaged, or not an owner's file", e);
        }
    }

    // The slot is bound to the vault and to the public key: neither can be exchanged.
    private static byte[]? TryOpenSlot(OwnerFileContent content, string passphrase, string file)
    {
        try
        {
            KeySlotIdentity identity = Identity(content.VaultId, OwnerIdentity.TryParse(content.Owner)!);
            KeySlot slot = KeySlot.Decode(content.Slot, identity.StoreId, identity.KeyId);
            return slot.VaultId == identity.VaultId ? slot.TryOpen(passphrase) : throw Invalid(file, "its key is sealed for another vault");
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.VaultFormatUnsupported)
        {
            throw Invalid(file, e.Id == BackupErrorId.KeySlotDamaged ? "it is damaged: what seals the key was altered" : "a newer version of MSOnlineBackup made it", e);
        }
    }

    // Of ids that no vault, store or slot has: nothing of an owner's file opens anything in a vault.
    private static KeySlotIdentity Identity(string vaultId, OwnerIdentity owner)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"owner\n{vaultId}")));
        return new KeySlotIdentity(hash[..32], StoreId.Parse(hash.AsSpan(32)), owner.Fingerprint[..32]);
    }

    private static BackupException Invalid(string file, string why, Exception? inner = null) => new(
        BackupErrorId.OwnerFileInvalid,
        $"The owner's file '{file}' cannot be used: {why}.",
        "Take another copy of the file, or name another place for a new one. The machine that created the vault may keep the key: 'Export-OBVaultOwner' writes a file from it.",
        file,
        innerException: inner);
}

/// <summary>What an owner's file says.</summary>
/// <param name="Kind">That it is one.</param>
/// <param name="Format">1.</param>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="Location">Where the vault was when the file was written; for people.</param>
/// <param name="Created">When the vault was created; for people.</param>
/// <param name="Owner">The public key, in base64.</param>
/// <param name="Slot">A key slot that holds the private half, as it is stored in vaults.</param>
/// <param name="VaultName">For people; null where the vault has no name.</param>
internal sealed record OwnerFileContent(
    string Kind, int Format, string VaultId, string Location, string Created, string Owner, byte[] Slot, string? VaultName = null);

[JsonSerializable(typeof(OwnerFileContent))]
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class OwnerFileJson : JsonSerializerContext;
