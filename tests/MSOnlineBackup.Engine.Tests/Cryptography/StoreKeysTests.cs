using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class StoreKeysTests
{
    [Fact]
    public void No_two_derived_keys_are_alike_in_any_vault_or_store()
    {
        byte[] other = TestKeys.Bytes(9, 16);
        StoreKeys[] stores =
        [
            TestKeys.Keys,
            TestKeys.KeysOf(other, TestKeys.StoreId),
            TestKeys.KeysOf(TestKeys.VaultId, new StoreId(other)),
            TestKeys.KeysOf(TestKeys.StoreId.ToBytes(), new StoreId(TestKeys.VaultId)),
            new(TestKeys.Bytes(4, StoreKeys.MasterKeyLength), TestKeys.VaultId, TestKeys.StoreId),
        ];

        string[] keys = [.. stores.SelectMany(AllKeys)];

        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Fact]
    public void The_same_master_key_and_ids_always_give_the_same_keys() =>
        Assert.Equal(AllKeys(TestKeys.Keys), AllKeys(TestKeys.KeysOf(TestKeys.VaultId, TestKeys.StoreId)));

    [Fact]
    public void Keys_are_those_that_the_format_names()
    {
        byte[] info = [.. Encoding.ASCII.GetBytes("MSOnlineBackup/1/identity/1"), .. TestKeys.VaultId, .. TestKeys.StoreId.ToBytes()];
        byte[] expected = HKDF.Expand(HashAlgorithmName.SHA256, TestKeys.Keys.MasterKey.ToArray(), 32, info);

        Assert.Equal(expected, TestKeys.Keys.IdentityKey((byte)ChunkKind.Content));
    }

    [Fact]
    public void A_pack_and_an_object_with_the_same_salt_have_other_keys_and_each_salt_its_own()
    {
        byte[] salt = TestKeys.Bytes(1, 32);
        byte[] next = [.. salt];
        next[31] ^= 1;

        Assert.NotEqual(TestKeys.Keys.PackKey(salt), TestKeys.Keys.ObjectKey(salt));
        Assert.NotEqual(TestKeys.Keys.PackKey(salt), TestKeys.Keys.PackKey(next));
    }

    [Fact]
    public void The_same_content_has_another_name_as_another_kind_and_in_another_store()
    {
        byte[] content = TestKeys.Bytes(1, 1000);
        StoreKeys[] stores = [TestKeys.Keys, TestKeys.KeysOf(TestKeys.VaultId, new StoreId(TestKeys.VaultId))];

        ChunkId[] ids = [.. stores.SelectMany(keys => Enum.GetValues<ChunkKind>().Select(kind => new ChunkIdentity(keys).Compute(kind, content)))];

        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    private static IEnumerable<string> AllKeys(StoreKeys keys)
    {
        byte[] salt = new byte[32];
        yield return Convert.ToHexString(keys.PackKey(salt));
        yield return Convert.ToHexString(keys.ObjectKey(salt));
        yield return Convert.ToHexString(keys.BundleBoundaryKey.Span);
        yield return Convert.ToHexString(keys.ManifestBoundaryKey.Span);
        foreach (ChunkKind kind in Enum.GetValues<ChunkKind>())
        {
            yield return Convert.ToHexString(keys.IdentityKey((byte)kind));
        }

        foreach (ulong gear in keys.GearTable)
        {
            byte[] bytes = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, gear);
            yield return Convert.ToHexString(bytes);
        }
    }
}
