using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// The file by which a machine registers: <see cref="TextArmour"/> of <c>u8 version 1 | seal of the credential as JSON</c>.
/// The key of the seal is no secret: it keeps the content from idle eyes and shows damage. That the vault's owner issued the
/// file is shown by its token, of which the vault keeps the hash in a record that the owner signed.
/// </summary>
internal static class VaultCredentialFile
{
    public const string Extension = ".VaultCredentials";

    private const byte Version = 1;
    private const string Label = "MSONLINEBACKUP VAULT CREDENTIAL";

    // In UTF-16, too.
    private const int MaxLength = 256 << 10;
    private static readonly byte[] _key = SHA256.HashData("MSOnlineBackup/1/vault credential file"u8);

    /// <summary>The name that a file is given: <c>VAULT_2024-02-29T120000Z.VaultCredentials</c>.</summary>
    public static string NameOf(VaultCredential credential)
    {
        string vault = string.Concat(credential.VaultName.Select(c => char.IsLetterOrDigit(c) || c is '-' or '.' or ' ' ? c : '-')).Trim('.', ' ');
        return string.Create(CultureInfo.InvariantCulture, $"{vault}_{credential.Issued.UtcDateTime:yyyy-MM-dd'T'HHmmss'Z'}{Extension}");
    }

    public static byte[] Encode(VaultCredential credential) =>
        Encode(JsonSerializer.SerializeToUtf8Bytes(credential, VaultCredentialJson.Default.VaultCredential));

    /// <summary>A file with any content: what everybody can make, for the key is no secret.</summary>
    internal static byte[] Encode(ReadOnlySpan<byte> json)
    {
        byte[] version = [Version];
        return Encoding.ASCII.GetBytes(TextArmour.Encode(Label, [.. version, .. SaltedSeal.Seal(_key, json, version)]));
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Also relative to the current folder.</param>
    /// <exception cref="BackupException">VaultCredentialInvalid.</exception>
    public static async Task<VaultCredential> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (!Path.GetExtension(path).Equals(Extension, StringComparison.OrdinalIgnoreCase))
        {
            throw Invalid(path, $"its name does not end with '{Extension}'");
        }

        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxLength)
            {
                throw Invalid(path, "it is far too large");
            }

            return Decode(await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Invalid(path, "there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>The error of a file that may not be used.</summary>
    /// <param name="path">The file.</param>
    /// <param name="why">The end of "… cannot be used: ".</param>
    public static BackupException Invalid(string path, string why, Exception? inner = null) => new(
        BackupErrorId.VaultCredentialInvalid,
        $"Invalid vault credentials provided. '{path}' cannot be used: {why}.",
        "Issue a new file with 'Export-OBVaultCredential' and register with it before it expires; each new file replaces all before it.",
        path,
        innerException: inner,
        errorCode: "34513");

    internal static VaultCredential Decode(ReadOnlySpan<byte> text, string path)
    {
        if (TextArmour.TryDecode(Label, text) is not { Length: > 0 } content)
        {
            throw Invalid(path, "it is corrupt, or is not a vault credential file");
        }

        if (content[0] != Version)
        {
            throw Invalid(path, "it is corrupt, or a newer version of MSOnlineBackup made it");
        }

        byte[] plaintext = SaltedSeal.TryOpen(_key, content.AsSpan(1), content.AsSpan(0, 1))
            ?? throw Invalid(path, "it is corrupt: truncated or altered");
        try
        {
            VaultCredential? credential = JsonSerializer.Deserialize(plaintext, VaultCredentialJson.Default.VaultCredential);
            if (credential is not null && IdDigits.AreIn(credential.VaultId) && OwnerIdentity.TryParse(credential.Owner) is not null && IsText(credential.Location) && IsText(credential.VaultName)
                && (credential.Secret is null || IsText(credential.Secret)))
            {
                return credential;
            }
        }
        catch (JsonException e)
        {
            throw Invalid(path, "what is sealed in it is not a credential", e);
        }

        throw Invalid(path, "what is sealed in it is not a credential");
    }

    // They are shown to people, or handed on as a line.
    private static bool IsText(string text) => text.Length > 0 && !text.Any(char.IsControl);
}
