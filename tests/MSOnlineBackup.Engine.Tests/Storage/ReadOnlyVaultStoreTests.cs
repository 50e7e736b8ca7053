using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Storage;

/// <summary>What is only read gives all that is there, and takes nothing.</summary>
public sealed class ReadOnlyVaultStoreTests
{
    [Fact]
    public async Task What_is_there_is_read_listed_and_found_and_nothing_is_changed()
    {
        var inner = new MemoryVaultStore();
        await inner.TryCreateAsync("a/b", new byte[] { 1, 2, 3 }, Cancel);
        var store = new ReadOnlyVaultStore(inner);

        byte[] read = new byte[4];
        Assert.Equal(2, await store.ReadAsync("a/b", 1, read, Cancel));
        Assert.Equal([2, 3, 0, 0], read);
        Assert.Equal(3, (await store.StatAsync("a/b", Cancel))!.Value.Length);
        Assert.Equal(["a/b"], await store.ListAsync("a/", Cancel).Select(found => found.Name).ToListAsync(Cancel));
        Assert.Equal((inner.Location, inner.Capabilities), (store.Location, store.Capabilities));

        Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("c", default, Cancel))).Id);
        Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(async () => await store.DeleteAsync("a/b", Cancel))).Id);
        Assert.Equal(["a/b"], inner.Names);
        Assert.Null(((IVaultStore)store).Attack);
    }
}
