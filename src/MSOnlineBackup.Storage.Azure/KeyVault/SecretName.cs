using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>
/// The name of the secret that holds a passphrase: <c>AzBackup-MACHINE-VAULT</c>. Key Vault takes letters, digits and '-' only, 127 characters at most.
/// Every other character becomes '-'; a name that is too long is cut, and ends with '-' and eight digits that tell it from others cut alike.
/// </summary>
internal static class SecretName
{
    private const int MaxLength = 127;

    public static string Of(PassphraseOwner owner)
    {
        string wanted = $"AzBackup-{owner.Machine}-{owner.VaultName}";
        string name = string.Concat(wanted.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        return name.Length <= MaxLength
            ? name
            : $"{name[..(MaxLength - 9)]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wanted)).AsSpan(0, 4))}";
    }
}
