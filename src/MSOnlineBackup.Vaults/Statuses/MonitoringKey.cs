using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>
/// By which the statuses of a chunk store are proved, and opened where they are sealed. It follows from the store's first master key, and nothing else can be had from it: so it can be
/// given to whoever watches.
/// </summary>
/// <param name="StoreId">The chunk store.</param>
/// <param name="Key">32 bytes.</param>
internal sealed record MonitoringKey(StoreId StoreId, byte[] Key)
{
    /// <summary>Its length in bytes.</summary>
    public const int Length = 32;

    /// <summary>What proves a status.</summary>
    public byte[] CodeKey => Expand("code"u8);

    /// <summary>What seals one.</summary>
    public byte[] SealKey => Expand("seal"u8);

    /// <summary>That of an opened chunk store.</summary>
    public static MonitoringKey Of(StoreKeys keys) => new(keys.StoreId, keys.MonitoringKey());

    private byte[] Expand(ReadOnlySpan<byte> purpose)
    {
        byte[] derived = new byte[Length];
        HKDF.Expand(HashAlgorithmName.SHA256, Key, derived, purpose);
        return derived;
    }
}
