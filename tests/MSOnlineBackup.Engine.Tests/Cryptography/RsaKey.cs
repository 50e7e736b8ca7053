using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

/// <summary>A key of one version, as a Key Vault would keep it.</summary>
internal sealed class RsaKey(string id, string version, RSA rsa) : IKeyEncryptionKey
{
    // To make one takes a good part of a second.
    private static readonly RSAParameters _pair = MakePair();

    public string Id => id;

    /// <summary>How often it was asked to unwrap.</summary>
    public int Unwraps { get; private set; }

    /// <summary>A key of any name; all of them are the same pair of numbers.</summary>
    public static RsaKey Create(string name = "wrapping") => Create(name, _pair);

    /// <summary>A key of a name that unwraps nothing of any other.</summary>
    public static RsaKey CreateAnother(string name = "wrapping") => Create(name, MakePair());

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

    private static RsaKey Create(string name, RSAParameters pair) => new($"https://backups.vault.azure.net/keys/{name}", "1", RSA.Create(pair));

    private static RSAParameters MakePair()
    {
        using var made = RSA.Create(2048);
        return made.ExportParameters(includePrivateParameters: true);
    }
}
