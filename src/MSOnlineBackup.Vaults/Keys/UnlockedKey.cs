using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>What opens a chunk store: its master key, and which of its key slots it came from. Disposing of it zeroes the key.</summary>
public sealed record UnlockedKey : IDisposable
{
    private readonly byte[] _masterKey;
    private bool _isDisposed;

    internal UnlockedKey(StoreId storeId, string keyId, byte[] masterKey)
    {
        StoreId = storeId;
        KeyId = keyId;
        _masterKey = masterKey;
    }

    /// <summary>The chunk store.</summary>
    public StoreId StoreId { get; }

    /// <summary>The key slot: 32 hexadecimal digits.</summary>
    public string KeyId { get; internal init; }

    internal byte[] MasterKey
    {
        get
        {
            // Zeroes are a key too: nothing must ever be wrapped or opened by them.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _masterKey;
        }
    }

    /// <summary>The keys of its chunk store, in a vault.</summary>
    internal StoreKeys KeysIn(VaultHeader header) => new(MasterKey, Convert.FromHexString(header.VaultId), StoreId);

    /// <summary>By this the master key is known again; nothing can be opened with it. 32 bytes.</summary>
    internal byte[] Digest() => HKDF.Expand(HashAlgorithmName.SHA256, MasterKey, 32, "MSOnlineBackup/1/digest"u8.ToArray());

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_masterKey);
    }

    /// <summary>One with a key of its own, that outlives this one.</summary>
    internal UnlockedKey Copy() => new(StoreId, KeyId, [.. MasterKey]);

    /// <summary>Store and slot; never the key.</summary>
    public override string ToString() => $"{StoreId}/{KeyId}";
}
