using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class MachineDirectoryTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_machine_is_written_down_once_and_again_when_it_has_changed()
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "Alpha", mayReturn: true, Cancel);
        Assert.Equal(2, _objects.Names.Count);

        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "BETA", mayReturn: true, Cancel);

        Assert.Equal(3, _objects.Names.Count);
        Assert.Equal(["Alpha", "BETA"], await NamesAsync());
    }

    [Theory]
    [InlineData("00000001", "")]
    [InlineData("00000001", "null")]
    [InlineData("00000001", "{")]
    [InlineData("00000001", """{"name":null,"operatingSystem":null,"agentVersion":null,"store":null}""")]
    [InlineData("7fffffff", """{"name":"x","operatingSystem":"x","agentVersion":"x","store":"x"}""")]
    [InlineData("ffffffff", """{"name":"x","operatingSystem":"x","agentVersion":"x","store":"x"}""")]
    [InlineData("readme.txt", "x")]
    public async Task What_is_no_record_stops_no_machine(string sequence, string content)
    {
        ChunkStore store = await OpenAsync(_objects);
        _objects.SetContent($"machines/{Header.MachineId("beta")}/{sequence}", Encoding.UTF8.GetBytes(content));
        Assert.Empty(await NamesAsync());

        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);

        Assert.Equal(["beta"], await NamesAsync());
    }

    [Fact]
    public async Task A_machine_that_has_left_comes_back_by_a_backup_only_where_it_may()
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel);
        await new MachineDirectory(TestVault.Of(_objects, Header)).LeaveAsync(Owner, "BETA", new DateTimeOffset(2026, 11, 21, 4, 5, 6, TimeSpan.Zero), Cancel);
        Assert.Empty(await NamesAsync());

        BackupException fault =
            await Assert.ThrowsAsync<BackupException>(() => new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel));

        Assert.Equal(BackupErrorId.MachineNotRegistered, fault.Id);
        Assert.Contains("2026-11-21 at 04:05 UTC", fault.Message, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync());
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        Assert.Equal(["beta"], await NamesAsync());
    }

    [Fact]
    public async Task A_name_of_another_chunk_store_is_not_taken_by_a_backup()
    {
        _objects.SetContent($"keys/{KeyOf('b').StoreId}/{new string('0', 32)}", []);
        await new MachineDirectory(TestVault.Of(_objects, Header)).ClaimAsync("beta", KeyOf('b'), Cancel);
        ChunkStore store = await OpenAsync(_objects);

        BackupException fault =
            await Assert.ThrowsAsync<BackupException>(() => new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel));

        Assert.Equal(BackupErrorId.MachineNameTaken, fault.Id);
        await new MachineDirectory(TestVault.Of(_objects, Header)).LeaveAsync(Owner, "beta", DateTimeOffset.UnixEpoch, Cancel);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        Assert.Equal(Store, (await new MachineDirectory(TestVault.Of(_objects, Header)).FindAsync("beta", Cancel))!.StoreId);
    }

    private async Task<IEnumerable<string>> NamesAsync() =>
        (await new MachineDirectory(TestVault.Of(_objects, Header)).ListAsync(Cancel)).Where(machine => !machine.IsGone).Select(machine => machine.Name);
}
