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

    /// <summary>Which of the store's master keys it is: how often the key had been rotated.</summary>
    public byte Epoch { get; internal init; }

    /// <summary>The newest epoch that the vault tells of. Where it is higher than <see cref="Epoch"/>, this key opens what was written before, and writes nothing.</summary>
    internal byte NewestEpoch { get; init; }

    /// <summary>The master keys before this one, by their epochs.</summary>
    internal IReadOnlyDictionary<byte, byte[]> EarlierKeys { get; init; } = new Dictionary<byte, byte[]>();

    /// <summary>Whether the order of passphrases was seen to name its slot.</summary>
    internal bool IsNamed { get; init; }

    internal bool IsOutdated => Epoch < NewestEpoch;

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
    internal StoreKeys KeysIn(VaultHeader header) => new(MasterKeys(), Convert.FromHexString(header.VaultId), StoreId);

    /// <summary>All master keys that it leads to, by their epochs.</summary>
    internal IReadOnlyDictionary<byte, byte[]> MasterKeys() => new Dictionary<byte, byte[]>(EarlierKeys) { [Epoch] = MasterKey };

    /// <summary>Whether it leads to the master key of an epoch that has this digest.</summary>
    internal bool Has(byte epoch, byte[] digest) =>
        MasterKeys().TryGetValue(epoch, out byte[]? master) && CryptographicOperations.FixedTimeEquals(digest, DigestOf(master));

    /// <summary>Refuses a key that a newer one has replaced: nothing may be written under it.</summary>
    /// <exception cref="Errors.BackupException">KeyEpochOutdated.</exception>
    internal void RequireNewest(string location)
    {
        if (IsOutdated)
        {
            throw KeyEpochs.Outdated(location, $"it was rotated since (number {NewestEpoch}), and what opened the vault leads to number {Epoch} only");
        }
    }

    /// <summary>By this the master key is known again; nothing can be opened with it. 32 bytes.</summary>
    internal byte[] Digest() => DigestOf(MasterKey);

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_masterKey);
        foreach (byte[] earlier in EarlierKeys.Values)
        {
            CryptographicOperations.ZeroMemory(earlier);
        }
    }

    /// <summary>One with a key of its own, that outlives this one.</summary>
    internal UnlockedKey Copy() => new(StoreId, KeyId, [.. MasterKey])
    {
        Epoch = Epoch,
        NewestEpoch = NewestEpoch,
        EarlierKeys = EarlierKeys.ToDictionary(earlier => earlier.Key, earlier => (byte[])[.. earlier.Value]),
    };

    private static byte[] DigestOf(byte[] master) => HKDF.Expand(HashAlgorithmName.SHA256, master, 32, "MSOnlineBackup/1/digest"u8.ToArray());

    /// <summary>Store and slot; never the key.</summary>
    public override string ToString() => $"{StoreId}/{KeyId}";
}
