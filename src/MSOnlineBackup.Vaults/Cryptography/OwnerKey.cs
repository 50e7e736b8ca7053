using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>The key of a vault's owner: what it signs is the owner's will. May be used by several threads.</summary>
public sealed class OwnerKey : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ECDsa _key;

    private OwnerKey(ECDsa key, OwnerIdentity identity)
    {
        _key = key;
        Identity = identity;
    }

    /// <summary>Its public half.</summary>
    public OwnerIdentity Identity { get; }

    /// <summary>Makes a key.</summary>
    public static OwnerKey Create()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new OwnerKey(key, OwnerIdentity.TryParse(key.ExportSubjectPublicKeyInfo())!);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>The key whose halves these are; null where they do not belong together.</summary>
    /// <param name="secret">From <see cref="ExportSecret"/>.</param>
    internal static OwnerKey? TryImport(ReadOnlySpan<byte> secret, OwnerIdentity identity)
    {
        ReadOnlySpan<byte> point = identity.Encode().AsSpan(^64..);
        var key = ECDsa.Create();
        try
        {
            key.ImportParameters(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                D = secret.ToArray(),
                Q = new ECPoint { X = point[..32].ToArray(), Y = point[32..].ToArray() },
            });
            var imported = new OwnerKey(key, identity);
            if (identity.Verify("one key"u8, imported.Sign("one key"u8)))
            {
                return imported;
            }
        }
        catch (CryptographicException)
        {
            // The platform has noticed itself.
        }

        key.Dispose();
        return null;
    }

    /// <summary>The private half: 32 bytes.</summary>
    internal byte[] ExportSecret() => _key.ExportParameters(includePrivateParameters: true).D!;

    /// <summary>Signs: r and s, 32 bytes each.</summary>
    internal byte[] Sign(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            return _key.SignData(message, HashAlgorithmName.SHA256);
        }
    }
}
