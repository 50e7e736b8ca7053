using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// The keys of one chunk store, all derived from its random master keys by HKDF-Expand (RFC 5869, SHA-256) with
/// <c>"MSOnlineBackup/1/" purpose || vault id || store id</c> as info: those that seal from the master key of each epoch, all others from the first. Disposing
/// of them zeroes them.
/// </summary>
internal sealed class StoreKeys : IDisposable
{
    /// <summary>Length of the master key in bytes.</summary>
    public const int MasterKeyLength = 32;

    private readonly byte[] _first;
    private readonly byte[] _context;
    private readonly Dictionary<byte, EpochKeys> _epochs = [];
    private bool _isDisposed;

    /// <summary>The keys of a store whose master key was never rotated.</summary>
    public StoreKeys(ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> vaultId, StoreId storeId)
        : this(new Dictionary<byte, byte[]> { [0] = masterKey.ToArray() }, vaultId, storeId)
    {
    }

    /// <summary>The keys of a store.</summary>
    /// <param name="masterKeys">Its master keys by their epochs; the highest is the one that seals. Copied.</param>
    /// <param name="vaultId">The vault: 16 bytes.</param>
    /// <param name="storeId">The store.</param>
    public StoreKeys(IReadOnlyDictionary<byte, byte[]> masterKeys, ReadOnlySpan<byte> vaultId, StoreId storeId)
    {
        _context = [.. vaultId, .. storeId.ToBytes()];
        StoreId = storeId;
        foreach ((byte epoch, byte[] master) in masterKeys)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(master.Length, MasterKeyLength);
            _epochs[epoch] = new EpochKeys([.. master], Derive(master, "packs", 32), Derive(master, "objects", 32));
        }

        Epoch = _epochs.Keys.Max();
        _first = _epochs[_epochs.Keys.Min()].Master;
        BundleBoundaryKey = Derive("bundles", 16);
        ManifestBoundaryKey = Derive("manifest", 16);
        byte[] gear = Derive("chunker", 256 * sizeof(ulong));
        GearTable = new ulong[256];
        for (int i = 0; i < GearTable.Length; i++)
        {
            GearTable[i] = BinaryPrimitives.ReadUInt64LittleEndian(gear.AsSpan(i * sizeof(ulong)));
        }
    }

    /// <summary>Vault id and store id, 16 bytes each: part of what every seal authenticates.</summary>
    public ReadOnlySpan<byte> Context => _context;

    /// <summary>The chunk store.</summary>
    public StoreId StoreId { get; }

    /// <summary>Which of the store's master keys seals what is written.</summary>
    public byte Epoch { get; }

    /// <summary>The master key that seals, to be wrapped into a new key slot.</summary>
    public ReadOnlySpan<byte> MasterKey => Of(Epoch).Master;

    /// <summary>The table of the chunker.</summary>
    public ulong[] GearTable { get; }

    /// <summary>Decides where bundles are cut.</summary>
    public ReadOnlyMemory<byte> BundleBoundaryKey { get; }

    /// <summary>Decides where manifest blocks are cut.</summary>
    public ReadOnlyMemory<byte> ManifestBoundaryKey { get; }

    /// <summary>The key that names chunks of one kind.</summary>
    public byte[] IdentityKey(byte kind) => Derive($"identity/{kind}", 32);

    /// <summary>The key of the codes by which machines of this store prove their records.</summary>
    public byte[] MachinesKey() => Derive("machines", 32);

    /// <summary>From which the keys of the statuses of this store's machines follow.</summary>
    public byte[] MonitoringKey() => Derive("monitoring", 32);

    /// <summary>Whether the master key of an epoch is at hand.</summary>
    public bool Knows(byte epoch) => _epochs.ContainsKey(epoch);

    /// <summary>The master key of an epoch that is known.</summary>
    public ReadOnlySpan<byte> MasterKeyOf(byte epoch) => Of(epoch).Master;

    /// <summary>The key of one pack.</summary>
    /// <param name="salt">The pack's.</param>
    /// <param name="epoch">The pack's, which must be known; null for the one that seals.</param>
    public byte[] PackKey(ReadOnlySpan<byte> salt, byte? epoch = null) => Expand(Of(epoch ?? Epoch).Packs, salt);

    /// <summary>The key of one sealed object.</summary>
    /// <param name="salt">The object's.</param>
    /// <param name="epoch">The object's, which must be known; null for the one that seals.</param>
    public byte[] ObjectKey(ReadOnlySpan<byte> salt, byte? epoch = null) => Expand(Of(epoch ?? Epoch).Objects, salt);

    /// <summary>The key by which a cache of this store's index on this machine is authenticated.</summary>
    public byte[] IndexCacheKey(ReadOnlySpan<byte> salt) => Expand(Derive("index cache", 32), salt);

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (EpochKeys keys in _epochs.Values)
        {
            CryptographicOperations.ZeroMemory(keys.Master);
            CryptographicOperations.ZeroMemory(keys.Packs);
            CryptographicOperations.ZeroMemory(keys.Objects);
        }
    }

    // Zeroes are a key too: nothing must ever be sealed with them.
    private EpochKeys Of(byte epoch)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _epochs[epoch];
    }

    // Names and cuts stay what they are when the master key rotates: equal data are stored once, whichever key sealed them.
    private byte[] Derive(string purpose, int length)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Derive(_first, purpose, length);
    }

    private byte[] Derive(byte[] master, string purpose, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, master, length, [.. Encoding.ASCII.GetBytes("MSOnlineBackup/1/" + purpose), .. _context]);

    private static byte[] Expand(byte[] key, ReadOnlySpan<byte> salt)
    {
        byte[] derived = new byte[32];
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, salt);
        return derived;
    }

    private sealed record EpochKeys(byte[] Master, byte[] Packs, byte[] Objects);
}
