using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>
/// Several machines that bring the same new passphrase to one vault at the same moment, each standing still, or dying, at each of its calls; and what changes a passphrase
/// meanwhile. Each case ends with one chunk store that the passphrase opens, in which everybody's points are whole.
/// </summary>
public sealed class KeyOrderTests
{
    private const string Phrase = "the same new passphrase";
    private const string Old = "what it was before that";

    private static readonly VaultOptions _options = new() { KeyDerivationIterations = 1 };

    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_machine_that_comes_at_any_call_of_another_gets_the_same_store()
    {
        for (int at = 1, calls = int.MaxValue; at <= calls; at++)
        {
            MemoryVaultStore objects = await CreateAsync();
            UnlockedKey? second = null;
            var paused = new PausedVaultStore(objects, at, async () => second = await EnterAsync(objects, "beta", Phrase));
            UnlockedKey first = await EnterAsync(paused, "alpha", Phrase);
            calls = Math.Min(calls, paused.Calls + (second is null ? 0 : 20));
            if (second is null)
            {
                break;
            }

            Assert.Equal(second.StoreId, first.StoreId);
            await AssertSharedAsync(objects, Phrase, first, second);
        }
    }

    [Fact]
    public async Task Two_machines_that_stand_still_at_any_two_calls_get_the_same_store()
    {
        int calls = await CountCallsAsync();
        foreach (int first in Campaign.Spread(1, calls, Campaign.IsBrief ? 5 : calls))
        {
            foreach (int second in Campaign.Spread(1, calls, Campaign.IsBrief ? 5 : calls))
            {
                MemoryVaultStore objects = await CreateAsync();
                var firstIsDone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var secondStands = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Task<UnlockedKey>? entering = null;
                var beta = new PausedVaultStore(objects, second, () =>
                {
                    secondStands.SetResult();
                    return firstIsDone.Task;
                });
                var alpha = new PausedVaultStore(objects, first, async () =>
                {
                    entering = EnterAsync(beta, "beta", Phrase);
                    await Task.WhenAny(entering, secondStands.Task);
                });
                UnlockedKey alphas = await EnterAsync(alpha, "alpha", Phrase);
                firstIsDone.SetResult();
                UnlockedKey betas = await (entering ?? EnterAsync(objects, "beta", Phrase));

                Assert.True(alphas.StoreId == betas.StoreId, $"at calls {first} and {second}");
                await AssertSharedAsync(objects, Phrase, alphas, betas);
            }
        }
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task A_machine_that_dies_at_any_call_leaves_a_vault_where_others_and_itself_come_in(FaultTiming timing)
    {
        for (int at = 1; ; at++)
        {
            MemoryVaultStore objects = await CreateAsync();
            var faulty = new FaultyVaultStore(objects) { Kind = FaultKind.ForGood, Timing = timing, FailAt = at };
            Exception? fault = await Record.ExceptionAsync(() => EnterAsync(faulty, "alpha", Phrase));
            UnlockedKey[] keys = at % 2 == 0
                ? [await EnterAsync(objects, "beta", Phrase), await EnterAsync(objects, "alpha", Phrase)]
                : [await EnterAsync(objects, "alpha", Phrase), await EnterAsync(objects, "beta", Phrase)];

            await AssertSharedAsync(objects, Phrase, keys);
            if (fault is null)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task Of_many_at_once_all_get_the_same_store_whatever_else_comes_in()
    {
        for (int round = 0; round < Campaign.Rounds(usual: 20, full: 600, brief: 10); round++)
        {
            MemoryVaultStore objects = await CreateAsync();
            var turns = new Interleaver(round);
            var keys = new UnlockedKey[6];
            await turns.RunAsync(Enumerable.Range(0, keys.Length).Select(machine => (Func<int, Task>)(async actor =>
                keys[machine] = await EnterAsync(new ActorVaultStore(objects, turns, actor, Fate.Lives, 0), $"machine {machine}", machine % 3 == 0 ? Old : Phrase))));

            await AssertSharedAsync(objects, Old, keys[0], keys[3]);
            await AssertSharedAsync(objects, Phrase, keys[1], keys[2], keys[4], keys[5]);
            Assert.NotEqual(keys[0].StoreId, keys[1].StoreId);
        }
    }

    [Fact]
    public async Task Of_many_in_a_folder_all_get_the_same_store()
    {
        using var folder = new TempFolder();
        FolderVaultStore objects = new(folder.Path);
        await Vault.CreateNamedAsync(objects, "vault", _options, Cancel);

        UnlockedKey[] keys = await Task.WhenAll(Enumerable.Range(0, 12).Select(machine => Task.Run(() => EnterAsync(new FolderVaultStore(folder.Path), $"machine {machine}", Phrase))));

        await AssertSharedAsync(objects, Phrase, keys);
    }

    [Fact]
    public async Task Who_sees_an_old_listing_finds_the_store_all_the_same()
    {
        MemoryVaultStore objects = await CreateAsync();
        UnlockedKey early = await EnterAsync(objects, "early", Old);
        var stale = new StaleVaultStore(objects, [.. objects.Names]);
        UnlockedKey first = await EnterAsync(objects, "alpha", Phrase);
        UnlockedKey second = await EnterAsync(stale, "beta", Phrase);
        Assert.NotEqual(early.StoreId, second.StoreId);
        await AssertSharedAsync(objects, Phrase, first, second);
    }

    [Fact]
    public async Task A_passphrase_that_is_changed_at_any_call_of_an_entrance_opens_one_store() =>
        await AgainstEntranceAsync((objects, key) => ChangeAsync(objects, key, vault => vault.ChangeKeyAsync(Phrase, Cancel)), entranceIsPaused: true);

    [Fact]
    public async Task A_machine_that_enters_at_any_call_of_a_change_of_passphrase_finds_one_store() =>
        await AgainstEntranceAsync((objects, key) => ChangeAsync(objects, key, vault => vault.ChangeKeyAsync(Phrase, Cancel)), entranceIsPaused: false);

    [Fact]
    public async Task A_key_that_is_rotated_at_any_call_of_an_entrance_opens_one_store() =>
        await AgainstEntranceAsync((objects, key) => ChangeAsync(objects, key, vault => vault.RotateKeyAsync(Phrase, Cancel)), entranceIsPaused: true);

    [Fact]
    public async Task A_machine_that_enters_at_any_call_of_a_rotation_finds_one_store() =>
        await AgainstEntranceAsync((objects, key) => ChangeAsync(objects, key, vault => vault.RotateKeyAsync(Phrase, Cancel)), entranceIsPaused: false);

    // Somebody has a store by another passphrase, and makes it open by the one that a new machine brings at this moment.
    private static async Task AgainstEntranceAsync(Func<IVaultStore, UnlockedKey, Task<bool>> change, bool entranceIsPaused)
    {
        for (int at = 1; ; at++)
        {
            MemoryVaultStore objects = await CreateAsync();
            UnlockedKey owner = await EnterAsync(objects, "alpha", Old);
            await BackUpAsync(objects, owner, "alpha");
            bool isMet = false;
            bool isChanged = false;
            UnlockedKey? entered = null;
            if (entranceIsPaused)
            {
                var paused = new PausedVaultStore(objects, at, async () => (isMet, isChanged) = (true, await change(objects, owner)));
                entered = await TryEnterAsync(paused);
            }
            else
            {
                var paused = new PausedVaultStore(objects, at, async () => (isMet, entered) = (true, await TryEnterAsync(objects)));
                isChanged = await change(paused, owner);
            }

            if (!isMet)
            {
                return;
            }

            entered ??= await EnterAsync(objects, "beta", Phrase);
            Assert.Equal(isChanged, entered.StoreId == owner.StoreId);
            if (isChanged)
            {
                await AssertSharedAsync(objects, Phrase, entered);
                Assert.Equal(2, (await (await OpenAsync(objects, Phrase)).ListPointsAsync(null, Cancel)).Count);
                await Assert.ThrowsAsync<BackupException>(() => OpenAsync(objects, Old));
            }
            else
            {
                await AssertSharedAsync(objects, Phrase, entered);
                Assert.Single(await (await OpenAsync(objects, Old)).ListPointsAsync(null, Cancel));
            }
        }
    }

    [Fact]
    public async Task A_slot_that_is_removed_at_any_call_of_an_entrance_costs_nobody_anything()
    {
        for (int at = 1; ; at++)
        {
            MemoryVaultStore objects = await CreateAsync();
            UnlockedKey alpha = await EnterAsync(objects, "alpha", Phrase);
            await BackUpAsync(objects, alpha, "alpha");
            bool isMet = false;
            var paused = new PausedVaultStore(objects, at, async () =>
            {
                isMet = true;
                using UnlockedVault vault = await OpenAsync(objects, alpha);
                await vault.AddKeyAsync(Old, null, Cancel);
                await vault.RemoveKeyAsync(alpha.KeyId, Cancel);
            });
            UnlockedKey beta = await EnterAsync(paused, "beta", Phrase);
            await BackUpAsync(objects, beta, "beta");
            if (!isMet)
            {
                return;
            }

            // It came in before, or has a store of its own.
            bool isShared = beta.StoreId == alpha.StoreId;
            Assert.Equal(isShared ? 2 : 1, (await (await OpenAsync(objects, Old)).ListPointsAsync(null, Cancel)).Count);
            if (!isShared)
            {
                await AssertSharedAsync(objects, Phrase, beta);
            }
        }
    }

    [Fact]
    public async Task No_passphrase_is_added_that_opens_another_store()
    {
        MemoryVaultStore objects = await CreateAsync();
        UnlockedKey one = await EnterAsync(objects, "alpha", Old);
        UnlockedKey other = await EnterAsync(objects, "beta", Phrase);
        string[] before = [.. objects.Names];
        using UnlockedVault vault = await OpenAsync(objects, one);

        foreach (Func<Task> add in new Func<Task>[] { () => vault.AddKeyAsync(Phrase, null, Cancel), () => vault.ChangeKeyAsync(Phrase, Cancel), () => vault.RotateKeyAsync(Phrase, Cancel) })
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(add);
            Assert.Equal(BackupErrorId.PassphraseTaken, fault.Id);
            Assert.Contains($"{other.StoreId}", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, objects.Names);
    }

    [Fact]
    public async Task Where_two_stores_open_the_one_that_the_order_names_is_taken_and_one_of_before_there_was_an_order_is_named_by_who_writes()
    {
        MemoryVaultStore objects = await CreateAsync();
        KnownVault known = (await Vault.OpenAsync(objects, _options, Cancel)).Known;
        var ring = new KeyRing(known);
        UnlockedKey[] made = [await ring.CreateStoreAsync(Phrase, Cancel), await ring.CreateStoreAsync(Phrase, Cancel), await ring.CreateStoreAsync(Phrase, Cancel)];
        foreach (VaultUse use in new[] { VaultUse.Read, VaultUse.Collect })
        {
            await TestVault.UnlockAsync(objects, Phrase, _options, Cancel, use);
            Assert.DoesNotContain(objects.Names, name => name.StartsWith("keys/order/", StringComparison.Ordinal));
        }

        // Nobody takes a store that holds nothing: whoever made it may be about to remove it.
        Assert.DoesNotContain((await ring.SettleAsync(made[0].Copy(), Phrase, Cancel)).StoreId, made.Select(key => key.StoreId));
        foreach (string name in objects.Names.Where(name => name.StartsWith("keys/order/", StringComparison.Ordinal)))
        {
            objects.Remove(name);
        }

        UnlockedKey last = made.MaxBy(key => $"{key.StoreId}", StringComparer.Ordinal)!;
        await BackUpAsync(objects, last, "of the last");
        Assert.Equal(last.StoreId, (await ring.UnlockAsync(Phrase, Cancel)).StoreId);
        await BackUpAsync(objects, made.MinBy(key => $"{key.StoreId}", StringComparer.Ordinal)!, "of the first");
        Assert.NotEqual(last.StoreId, (await ring.UnlockAsync(Phrase, Cancel)).StoreId);
        await ring.SettleAsync(last, Phrase, Cancel);

        Assert.Equal(["keys/order/00000001", "keys/order/00000001.copy"], objects.Names.Where(name => name.StartsWith("keys/order/", StringComparison.Ordinal)));
        foreach (VaultUse use in Enum.GetValues<VaultUse>())
        {
            Assert.Equal(last.StoreId, (await TestVault.UnlockAsync(objects, Phrase, _options, Cancel, use)).Key.StoreId);
        }

        foreach (UnlockedKey key in made.Where(key => key.StoreId != last.StoreId))
        {
            Assert.Equal(last.StoreId, (await ring.SettleAsync(key.Copy(), Phrase, Cancel)).StoreId);
        }

        Assert.Equal(2, objects.Names.Count(name => name.StartsWith("keys/order/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_is_damaged_in_the_order_is_read_from_its_copy_or_names_nothing_and_its_number_is_not_used_again()
    {
        MemoryVaultStore objects = await CreateAsync();
        UnlockedKey alpha = await EnterAsync(objects, "alpha", Phrase);
        await BackUpAsync(objects, alpha, "alpha");
        byte[] sound = objects.GetContent("keys/order/00000001");
        foreach (byte[]? damaged in new[] { null, [], sound[..^1], [.. sound[..20], (byte)(sound[20] ^ 1), .. sound[21..]], new byte[1 << 16] })
        {
            MemoryVaultStore copy = objects.Clone();
            Damage(copy, "keys/order/00000001", damaged);
            Assert.Equal(alpha.StoreId, (await EnterAsync(new StaleVaultStore(copy, ["vault.json"]), "beta", Phrase)).StoreId);
            Assert.DoesNotContain(copy.Names, name => name.Contains("00000002", StringComparison.Ordinal) && name.StartsWith("keys/order/", StringComparison.Ordinal));

            // Both: the store is found by a listing, and named again.
            Damage(copy, "keys/order/00000001.copy", damaged);
            Assert.Equal(alpha.StoreId, (await EnterAsync(copy, "gamma", Phrase)).StoreId);
            Assert.Equal(sound, copy.GetContent(damaged is null ? "keys/order/00000001" : "keys/order/00000002"));
        }
    }

    private static void Damage(MemoryVaultStore objects, string name, byte[]? content)
    {
        if (content is null)
        {
            objects.Remove(name);
        }
        else
        {
            objects.SetContent(name, content);
        }
    }

    private static async Task<MemoryVaultStore> CreateAsync()
    {
        var objects = new MemoryVaultStore();
        await Vault.CreateNamedAsync(objects, "vault", _options, Cancel);
        return objects;
    }

    private async Task<int> CountCallsAsync()
    {
        await Vault.CreateNamedAsync(_objects, "vault", _options, Cancel);
        var counting = new PausedVaultStore(_objects, int.MaxValue, () => Task.CompletedTask);
        await EnterAsync(counting, "alpha", Phrase);
        return counting.Calls;
    }

    // As a process of its own does that sets its passphrase.
    private static async Task<UnlockedKey> EnterAsync(IVaultStore objects, string machine, string passphrase)
    {
        Vault vault = await Vault.OpenAsync(objects, _options, Cancel);
        UnlockedKey key = await vault.Entrance.UnlockAsync(machine, passphrase, Cancel);
        (await vault.UnlockAsync(key, Cancel)).Dispose();
        await vault.Entrance.ClaimAsync(machine, key, Cancel);
        return key;
    }

    // Null where it was told to come again.
    private static async Task<UnlockedKey?> TryEnterAsync(IVaultStore objects)
    {
        try
        {
            return await EnterAsync(objects, "beta", Phrase);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.KeyEpochOutdated or BackupErrorId.VaultDataMissing)
        {
            return null;
        }
    }

    // Whether it was changed.
    private static async Task<bool> ChangeAsync(IVaultStore objects, UnlockedKey key, Func<UnlockedVault, Task> change)
    {
        using UnlockedVault vault = await OpenAsync(objects, key);
        try
        {
            await change(vault);
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.PassphraseTaken)
        {
            return false;
        }
    }

    private static async Task<UnlockedVault> OpenAsync(IVaultStore objects, UnlockedKey key) => await TestVault.UnlockAsync(objects, key, _options, Cancel);

    private static Task<UnlockedVault> OpenAsync(IVaultStore objects, string passphrase) => TestVault.UnlockAsync(objects, passphrase, _options, Cancel);

    private static async Task BackUpAsync(IVaultStore objects, UnlockedKey key, string machine)
    {
        using UnlockedVault vault = await OpenAsync(objects, key);
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("").File("shared", TestKeys.Bytes(1, 5000)).File(machine, TestKeys.Bytes(machine.Length, 700));
        await vault.BackUpAsync(BackupFixture.Request("/data") with { MachineName = machine, OpenSource = _ => tree }, new JobMonitor(), Cancel);
    }

    // Everybody's key is of one store, which the passphrase opens; there everybody backs up, and all of it reads.
    private static async Task AssertSharedAsync(IVaultStore objects, string passphrase, params UnlockedKey[] keys)
    {
        foreach ((int machine, UnlockedKey key) in keys.Index())
        {
            await BackUpAsync(objects, key, $"of a key {machine} of {key.StoreId}");
        }

        using UnlockedVault vault = await OpenAsync(objects, passphrase);
        Assert.All(keys, key => Assert.Equal(vault.Key.StoreId, key.StoreId));
        Assert.Equal(keys.Length, (await vault.ListPointsAsync(null, Cancel)).Count(point => point.MachineName.StartsWith("of a key", StringComparison.Ordinal)));
        Assert.Empty((await vault.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
        Assert.Equal(vault.Key.StoreId, (await TestVault.UnlockAsync(objects, passphrase, _options, Cancel, VaultUse.Write)).Key.StoreId);
    }

    /// <summary>A vault whose listings show only what was there some time ago.</summary>
    private sealed class StaleVaultStore(IVaultStore inner, HashSet<string> known) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken).Where(found => known.Contains(found.Name)))
            {
                yield return found;
            }
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
