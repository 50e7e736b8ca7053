using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

/// <summary>A key of one version, as a Key Vault would keep it.</summary>
internal sealed class RsaKey(string id, string version, RSA rsa) : IKeyEncryptionKey
{
    public string Id => id;

    /// <summary>How often it was asked to unwrap.</summary>
    public int Unwraps { get; private set; }

    public static RsaKey Create(string name = "wrapping") => new($"https://backups.vault.azure.net/keys/{name}", "1", RSA.Create(2048));

    public Task<WrappedKey> WrapAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        Task.FromResult(new WrappedKey($"{id}/{version}", rsa.Encrypt(key.Span, RSAEncryptionPadding.OaepSHA256)));

    public Task<byte[]?> UnwrapAsync(WrappedKey wrapped, CancellationToken cancellationToken)
    {
        Unwraps++;
        try
        {
            return Task.FromResult<byte[]?>(rsa.Decrypt(wrapped.Content, RSAEncryptionPadding.OaepSHA256));
        }
        catch (CryptographicException)
        {
            return Task.FromResult<byte[]?>(null);
        }
    }
}
