using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// The keys of one chunk store, all derived from its random master key by HKDF-Expand (RFC 5869, SHA-256) with
/// <c>"MSOnlineBackup/1/" purpose || vault id || store id</c> as info. Disposing of them zeroes them.
/// </summary>
internal sealed class StoreKeys : IDisposable
{
    /// <summary>Length of the master key in bytes.</summary>
    public const int MasterKeyLength = 32;

    private readonly byte[] _master;
    private readonly byte[] _context;
    private readonly byte[] _packs;
    private readonly byte[] _objects;
    private bool _isDisposed;

    public StoreKeys(ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> vaultId, StoreId storeId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(masterKey.Length, MasterKeyLength);
        _master = masterKey.ToArray();
        _context = [.. vaultId, .. storeId.ToBytes()];
        StoreId = storeId;
        _packs = Derive("packs", 32);
        _objects = Derive("objects", 32);
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

    /// <summary>The master key itself, to be wrapped into a new key slot.</summary>
    public ReadOnlySpan<byte> MasterKey => Living(_master);

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

    /// <summary>The key of one pack.</summary>
    public byte[] PackKey(ReadOnlySpan<byte> salt) => Expand(Living(_packs), salt);

    /// <summary>The key of one sealed object.</summary>
    public byte[] ObjectKey(ReadOnlySpan<byte> salt) => Expand(Living(_objects), salt);

    /// <summary>The key by which a cache of this store's index on this machine is authenticated.</summary>
    public byte[] IndexCacheKey(ReadOnlySpan<byte> salt) => Expand(Derive("index cache", 32), salt);

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (byte[] key in (byte[][])[_master, _packs, _objects])
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // Zeroes are a key too: nothing must ever be sealed with them.
    private byte[] Living(byte[] key)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return key;
    }

    private byte[] Derive(string purpose, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, Living(_master), length, [.. Encoding.ASCII.GetBytes("MSOnlineBackup/1/" + purpose), .. _context]);

    private static byte[] Expand(byte[] key, ReadOnlySpan<byte> salt)
    {
        byte[] derived = new byte[32];
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, salt);
        return derived;
    }
}
