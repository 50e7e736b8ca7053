using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

/// <summary>Keys of stores for tests: the same arguments give the same keys.</summary>
internal static class TestKeys
{
    public static byte[] VaultId { get; } = Bytes(1, 16);

    public static StoreId StoreId { get; } = new(Bytes(2, 16));

    public static StoreKeys Keys { get; } = new(Bytes(3, StoreKeys.MasterKeyLength), VaultId, StoreId);

    public static StoreKeys KeysOf(byte[] vaultId, StoreId storeId) => new(Bytes(3, StoreKeys.MasterKeyLength), vaultId, storeId);

    /// <summary>Random bytes of a seed.</summary>
    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Writes the right checksum to the end of a sealed object, as whoever alters it can: it needs no key.</summary>
    public static byte[] WithChecksum(byte[] content)
    {
        ObjectChecksum.WriteTo(content);
        return content;
    }
}
