using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Repair;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A key slot lies in the vault twice, and one that was removed comes back by neither.</summary>
public class KeySlotCopyTests
{
    private const string First = "the first passphrase";
    private const string Second = "the second passphrase";

    private readonly MemoryVaultStore _objects = new();

    public static TheoryData<string> Damages => ["lost", "empty", "cut", "flipped"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_lost_or_damaged_slot_opens_by_its_copy_is_named_and_restored(string damage)
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);
        string name = VaultLayout.Key(made.StoreId, made.KeyId);
        Assert.Equal([name, VaultLayout.CopyBeside(name)], _objects.Names);
        foreach (string struck in _objects.Names)
        {
            MemoryVaultStore objects = _objects.Clone();
            Strike(objects, struck, damage);
            bool isNamed = damage != "lost" || struck == name;

            Assert.Equal(made.MasterKey, (await Ring(objects).UnlockAsync(First, Cancel)).MasterKey);
            Assert.Equal(isNamed ? [struck] : [], await FindDamageAsync(objects, made));
            Assert.Equal(isNamed ? [struck] : [], await MendAsync(objects, made, isRehearsal: true));
            Assert.Equal(isNamed ? [struck] : [], await MendAsync(objects, made, isRehearsal: false));
            Assert.Equal(_objects.Names, objects.Names);
            Assert.Empty(await FindDamageAsync(objects, made));
            Assert.Empty(await MendAsync(objects, made, isRehearsal: false));
            objects.Remove(VaultLayout.CopyBeside(name));
            Assert.Equal(made.MasterKey, (await Ring(objects).UnlockAsync(First, Cancel)).MasterKey);
        }
    }

    [Fact]
    public async Task Whoever_is_stopped_at_any_call_of_a_removal_leaves_a_slot_that_can_be_removed_or_none()
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);
        await Ring(_objects).AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        var recording = new RecordingVaultStore(_objects);
        await Ring(recording).RemoveAsync(made.StoreId, made.KeyId, Cancel);
        string name = VaultLayout.Key(made.StoreId, made.KeyId);
        for (int count = 0; count <= recording.Operations.Count; count++)
        {
            MemoryVaultStore state = recording.Materialise(count);
            await MendAsync(state, made, isRehearsal: false);
            if (state.Names.Contains(name))
            {
                Assert.Equal(made.KeyId, (await Ring(state).UnlockAsync(First, Cancel)).KeyId);
                await Ring(state).RemoveAsync(made.StoreId, made.KeyId, Cancel);
            }

            Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(state));
            Assert.Empty(await MendAsync(state, made, isRehearsal: false));
            Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(state));
            Assert.Equal(made.MasterKey, (await Ring(state).UnlockAsync(Second, Cancel)).MasterKey);
        }
    }

    [Fact]
    public async Task A_copy_that_comes_late_brings_no_removed_slot_back()
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);
        await Ring(_objects).AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        string name = VaultLayout.Key(made.StoreId, made.KeyId);
        byte[] content = _objects.GetContent(name);
        await Ring(_objects).RemoveAsync(made.StoreId, made.KeyId, Cancel);
        _objects.SetContent(VaultLayout.CopyBeside(name), content);

        Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(_objects));
        Assert.Empty(await MendAsync(_objects, made, isRehearsal: false));
        Assert.DoesNotContain(name, _objects.Names);
    }

    [Fact]
    public async Task A_removal_that_overtakes_a_repair_removes_what_the_repair_writes()
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);
        await Ring(_objects).AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        string name = VaultLayout.Key(made.StoreId, made.KeyId);
        _objects.Remove(name);
        var watched = new PausedVaultStore(
            _objects, 1, () => Ring(_objects).RemoveAsync(made.StoreId, made.KeyId, Cancel), (call, creating) => call == VaultCall.Create && creating == name);

        await new TwinRepair(TestVault.StoreOf(watched, Header, made.StoreId, made.MasterKey)).RunAsync(isRehearsal: false, Cancel);

        Assert.Contains(name, _objects.Names);
        Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(_objects));
    }

    [Fact]
    public async Task The_mark_of_a_removal_takes_no_slot_away()
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);

        // As whoever may add can.
        _objects.SetContent(VaultLayout.KeyRemoval(made.StoreId, made.KeyId), [1]);

        Assert.Equal(made.MasterKey, (await Ring(_objects).UnlockAsync(First, Cancel)).MasterKey);
        Assert.Equal(BackupErrorId.KeySlotIsLast, (await Assert.ThrowsAsync<BackupException>(() => Ring(_objects).RemoveAsync(made.StoreId, made.KeyId, Cancel))).Id);
        Assert.Empty(await FindDamageAsync(_objects, made));
    }

    [Fact]
    public async Task A_vault_without_copies_opens_and_gets_them_by_a_repair()
    {
        UnlockedKey made = await Ring(_objects).CreateStoreAsync(First, Cancel);
        string copy = VaultLayout.CopyBeside(VaultLayout.Key(made.StoreId, made.KeyId));
        byte[] content = _objects.GetContent(copy);
        _objects.Remove(copy);

        Assert.Equal(made.MasterKey, (await Ring(_objects).UnlockAsync(First, Cancel)).MasterKey);
        Assert.Empty(await FindDamageAsync(_objects, made));
        Assert.Empty(await MendAsync(_objects, made, isRehearsal: false));
        Assert.Equal(content, _objects.GetContent(copy));
    }

    private static KeyRing Ring(MSOnlineBackup.Vaults.Storage.IVaultStore objects) => new(TestVault.Of(objects, Header, new FakeClock(), 10));

    private static Task<IReadOnlyList<string>> MendAsync(MemoryVaultStore objects, UnlockedKey key, bool isRehearsal) =>
        new TwinRepair(TestVault.StoreOf(objects, Header, key.StoreId, key.MasterKey)).RunAsync(isRehearsal, Cancel);

    private static async Task<IEnumerable<string?>> FindDamageAsync(MemoryVaultStore objects, UnlockedKey key) =>
        (await KeyRing.CheckAsync(objects, Header, TestVault.StoreOf(objects, Header, key.StoreId, key.MasterKey).Keys, Cancel)).Select(damage => damage.Target);

    private static async Task<BackupErrorId> UnlockFaultAsync(MemoryVaultStore objects) =>
        (await Assert.ThrowsAsync<BackupException>(() => Ring(objects).UnlockAsync(First, Cancel))).Id;

    private static void Strike(MemoryVaultStore objects, string name, string damage)
    {
        switch (damage)
        {
            case "lost":
                objects.Remove(name);
                break;
            case "flipped":
                objects.FlipBit(name, objects.GetContent(name).Length / 2);
                break;
            default:
                objects.Damage(name, content => damage == "empty" ? [] : content[..^1]);
                break;
        }
    }
}
