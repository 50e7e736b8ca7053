using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// A key that never leaves the place where it is kept, and wraps other keys there. Each use needs the consent of that place.
/// Every failure is a <see cref="BackupException"/>; all members may be called concurrently.
/// </summary>
public interface IKeyEncryptionKey
{
    /// <summary>Names the key: a URI without a query. It names one version of the key, or, where it has none, whichever is the newest.</summary>
    string Id { get; }

    /// <summary>Wraps a key by RSA-OAEP with SHA-256.</summary>
    /// <param name="key">Up to 64 bytes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<WrappedKey> WrapAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Unwraps a key; null where the version that it names has not wrapped it.</summary>
    /// <param name="wrapped">What <see cref="WrapAsync"/> gave; its id is that of this key, or of a version of it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<byte[]?> UnwrapAsync(WrappedKey wrapped, CancellationToken cancellationToken);
}

/// <summary>A wrapped key.</summary>
/// <param name="KeyId">Names the key that wrapped it, with its version.</param>
/// <param name="Content">The wrapped bytes.</param>
public sealed record WrappedKey(string KeyId, byte[] Content);
