using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class MachineRenamingTests
{
    private MemoryVaultStore _objects = new();

    private MachineDirectory Directory => new(TestVault.Of(_objects, Header));

    [Fact]
    public async Task A_machine_keeps_its_id_and_all_its_names_through_every_renaming()
    {
        ChunkStore store = await AnnounceAsync("alpha");
        foreach (string name in new[] { "beta", "gamma", "Alpha", "beta", "BETA", "delta" })
        {
            await RenameAsync(store, (await NamesAsync()).Single(), name);

            Assert.Equal([name], await NamesAsync());
            await Directory.AnnounceAsync(store.Keys, name, mayReturn: false, Cancel);
            Assert.Equal(1, await Directory.CountAsync(Cancel));
            foreach (string known in new[] { "alpha", name })
            {
                Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync(known, store.Keys, Cancel));
            }
        }

        foreach (string earlier in new[] { "alpha", "beta", "gamma" })
        {
            BackupException fault =
                await FailsAsync(BackupErrorId.MachineNameTaken, () => Directory.AnnounceAsync(store.Keys, earlier, mayReturn: true, Cancel));
            Assert.Contains("earlier name of the machine 'delta'", fault.Message, StringComparison.Ordinal);
            Assert.Contains("Rename-OBMachine delta", fault.RecommendedAction, StringComparison.Ordinal);
        }

        Assert.Empty(await new RecordVerifier(TestVault.Of(_objects, Header), store.Keys).FindDamageAsync(Cancel));
    }

    [Fact]
    public async Task A_name_that_another_machine_has_or_had_is_refused()
    {
        ChunkStore store = await AnnounceAsync("alpha", "beta", "gamma");
        await RenameAsync(store, "gamma", "delta");
        string[] before = [.. _objects.Names];

        Assert.Contains(
            "knows another machine 'beta'",
            (await FailsAsync(BackupErrorId.MachineNameTaken, () => RenameAsync(store, "alpha", "BETA"))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "earlier name of the machine 'delta'",
            (await FailsAsync(BackupErrorId.MachineNameTaken, () => RenameAsync(store, "alpha", "gamma"))).Message,
            StringComparison.Ordinal);
        await FailsAsync(BackupErrorId.MachineNameTaken, () => RenameAsync(store, "gamma", "epsilon"));
        await FailsAsync(BackupErrorId.MachineNotRegistered, () => RenameAsync(store, "nobody", "epsilon"));
        await RenameAsync(store, "gamma", "delta");

        Assert.Equal(before, _objects.Names);
    }

    [Fact]
    public async Task The_names_of_another_chunk_store_are_neither_given_nor_taken()
    {
        ChunkStore store = await AnnounceAsync("alpha");
        UnlockedKey other = KeyOf('b');
        _objects.SetContent($"keys/{other.StoreId}/{new string('0', 32)}", []);
        await Directory.ClaimAsync("beta", other, Cancel);

        await FailsAsync(BackupErrorId.MachineNameTaken, () => RenameAsync(store, "alpha", "beta"));
        await FailsAsync(
            BackupErrorId.MachineNameTaken, () => new MachineRenaming(TestVault.Of(_objects, Header), other.KeysIn(Header)).RunAsync("alpha", "gamma", Cancel));
        await RenameAsync(store, "alpha", "gamma");
        await FailsAsync(BackupErrorId.MachineNameTaken, () => Directory.ClaimAsync("alpha", other, Cancel));
        await FailsAsync(BackupErrorId.MachineNameTaken, () => Directory.ClaimAsync("gamma", other, Cancel));
        await FailsAsync(BackupErrorId.MachineNameTaken, () => new VaultEntrance(TestVault.Of(_objects, Header)).EnsureRoomAsync("alpha", Cancel));
    }

    [Fact]
    public async Task The_name_of_a_machine_that_has_left_is_taken_only_where_no_points_are_under_it()
    {
        ChunkStore store = await AnnounceAsync("alpha", "beta", "gamma");
        foreach (string name in new[] { "beta", "gamma" })
        {
            await Directory.LeaveAsync(Owner, name, DateTimeOffset.UnixEpoch, Cancel);
        }

        _objects.SetContent($"stores/{Store}/points/{Header.MachineId("beta")}/{new string('0', 32)}", [1]);

        Assert.Contains(
            "its recovery points are still there",
            (await FailsAsync(BackupErrorId.MachineNameTaken, () => RenameAsync(store, "alpha", "beta"))).Message,
            StringComparison.Ordinal);
        await RenameAsync(store, "alpha", "gamma");

        Assert.Equal(["gamma"], await NamesAsync());
        Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync("gamma", store.Keys, Cancel));
    }

    [Fact]
    public async Task A_renamed_machine_leaves_by_all_its_names_and_comes_back_with_its_points()
    {
        ChunkStore store = await AnnounceAsync("alpha");
        await RenameAsync(store, "alpha", "beta");
        await RenameAsync(store, "beta", "gamma");
        await FailsAsync(BackupErrorId.MachineNotRegistered, () => Directory.LeaveAsync(Owner, "alpha", DateTimeOffset.UnixEpoch, Cancel));

        await Directory.LeaveAsync(Owner, "gamma", DateTimeOffset.UnixEpoch, Cancel);

        Assert.Equal(["gamma"], (await Directory.ListAsync(Cancel)).Where(machine => machine.IsGone).Select(machine => machine.Name));
        Assert.Equal(0, await Directory.CountAsync(Cancel));
        await FailsAsync(BackupErrorId.MachineNotRegistered, () => Directory.LeaveAsync(Owner, "gamma", DateTimeOffset.UnixEpoch, Cancel));
        await FailsAsync(BackupErrorId.MachineNotRegistered, () => Directory.AnnounceAsync(store.Keys, "gamma", mayReturn: false, Cancel));

        await Directory.AnnounceAsync(store.Keys, "gamma", mayReturn: true, Cancel);
        Assert.Equal(["gamma"], await NamesAsync());
        Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync("gamma", store.Keys, Cancel));
        await FailsAsync(BackupErrorId.MachineNameTaken, () => Directory.AnnounceAsync(store.Keys, "alpha", mayReturn: true, Cancel));

        // Whoever comes back by an earlier name is that machine, too, and has that name then.
        await Directory.LeaveAsync(Owner, "gamma", DateTimeOffset.UnixEpoch, Cancel);
        await Directory.AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        Assert.Equal(["beta"], await NamesAsync());
        Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync("beta", store.Keys, Cancel));
    }

    [Fact]
    public async Task A_machine_of_another_passphrase_gets_a_freed_name_and_none_of_the_points()
    {
        ChunkStore store = await AnnounceAsync("alpha");
        await RenameAsync(store, "alpha", "beta");
        await Directory.LeaveAsync(Owner, "beta", DateTimeOffset.UnixEpoch, Cancel);
        UnlockedKey other = KeyOf('b');
        _objects.SetContent($"keys/{other.StoreId}/{new string('0', 32)}", []);

        await Directory.ClaimAsync("alpha", other, Cancel);
        await Directory.ClaimAsync("beta", other, Cancel);

        Assert.Equal(["alpha", "beta"], await NamesAsync());
        Assert.Equal(Header.MachineId("beta"), await Directory.FindIdAsync("beta", other.KeysIn(Header), Cancel));
        await FailsAsync(BackupErrorId.MachineNameTaken, () => Directory.AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel));
    }

    [Fact]
    public async Task Of_two_renamings_at_once_the_later_one_holds()
    {
        ChunkStore store = await AnnounceAsync("alpha");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Record.ExceptionAsync(() => RenameAsync(store, "alpha", $"name {i}")).AsTask())));

        string holds = Assert.Single(await NamesAsync());
        Assert.StartsWith("name ", holds, StringComparison.Ordinal);
        await Directory.AnnounceAsync(store.Keys, holds, mayReturn: false, Cancel);
        Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync(holds, store.Keys, Cancel));
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Interrupted_at_any_call_it_has_one_name_and_doing_it_again_does_the_rest(FaultTiming timing)
    {
        for (int failAt = 1; ; failAt++)
        {
            _objects = new MemoryVaultStore();
            ChunkStore store = await AnnounceAsync("alpha");
            var faulty = new FaultyVaultStore(_objects) { FailAt = failAt, Kind = FaultKind.ForGood, Timing = timing };
            Exception? fault =
                await Record.ExceptionAsync(() => new MachineRenaming(TestVault.Of(faulty, Header), store.Keys).RunAsync("alpha", "beta", Cancel));
            string holds = Assert.Single(await NamesAsync());
            await Directory.AnnounceAsync(store.Keys, holds, mayReturn: false, Cancel);
            Assert.Equal(Header.MachineId("alpha"), await Directory.FindIdAsync(holds, store.Keys, Cancel));

            await RenameAsync(store, "alpha", "beta");

            Assert.Equal(["beta"], await NamesAsync());
            if (fault is null)
            {
                Assert.True(failAt > 4);
                return;
            }
        }
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Unregistering_a_renamed_machine_can_be_interrupted_too(FaultTiming timing)
    {
        for (int failAt = 1; ; failAt++)
        {
            _objects = new MemoryVaultStore();
            ChunkStore store = await AnnounceAsync("alpha");
            await RenameAsync(store, "alpha", "beta");
            var faulty = new FaultyVaultStore(_objects) { FailAt = failAt, Kind = FaultKind.ForGood, Timing = timing };
            Exception? fault = await Record.ExceptionAsync(
                () => new MachineDirectory(TestVault.Of(faulty, Header)).LeaveAsync(Owner, "beta", DateTimeOffset.UnixEpoch, Cancel));
            if (fault is not null)
            {
                Assert.InRange(await Directory.CountAsync(Cancel), 0, 1);
                Exception? again = await Record.ExceptionAsync(() => Directory.LeaveAsync(Owner, "beta", DateTimeOffset.UnixEpoch, Cancel));
                Assert.True(again is null or BackupException { Id: BackupErrorId.MachineNotRegistered });
            }

            Assert.Equal(0, await Directory.CountAsync(Cancel));
            Assert.False((await Directory.FindAsync("alpha", keys: null, Cancel)).IsTaken);
            await FailsAsync(BackupErrorId.MachineNotRegistered, () => Directory.AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel));
            if (fault is null)
            {
                return;
            }
        }
    }

    private async Task<ChunkStore> AnnounceAsync(params string[] names)
    {
        ChunkStore store = await OpenAsync(_objects);
        foreach (string name in names)
        {
            await Directory.AnnounceAsync(store.Keys, name, mayReturn: false, Cancel);
        }

        return store;
    }

    private static Task RenameAsync(ChunkStore store, string name, string newName) =>
        new MachineRenaming(store.Vault, store.Keys).RunAsync(name, newName, Cancel);

    private async Task<IEnumerable<string>> NamesAsync() =>
        (await Directory.ListAsync(Cancel)).Where(machine => !machine.IsGone).Select(machine => machine.Name);

    private static async Task<BackupException> FailsAsync(BackupErrorId id, Func<Task> action)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(action);
        Assert.Equal(id, fault.Id);
        return fault;
    }
}
