using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>The master key of a store is rotated: new data are under the new one, old data are read as ever.</summary>
public sealed class KeyRotationTests : IDisposable
{
    private const string Old = BackupFixture.Passphrase;
    private const string New = "the passphrase of a new epoch";

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task What_is_written_from_then_on_is_under_the_new_key_and_everything_is_read()
    {
        BackupResult first = await BackUpSourceAsync();
        string[] before = [.. _backups.Objects.Names];

        await RotateAsync();
        _backups.Tree.File("later", 5000, seed: 1);
        BackupResult second = await _backups.BackUpAsync();

        // Names of chunks are what they were: nothing that is there is stored again.
        Assert.Equal((5000, 5000L), (second.ReadBytes, second.Point.NewBytes));
        Assert.All(SealedNames().Except(before), name => Assert.Equal(1, EpochOf(name)));
        Assert.All(SealedNames().Intersect(before), name => Assert.Equal(0, EpochOf(name)));
        Assert.Equal((await _backups.EntriesAsync(first.Point)).Count + 1, (await _backups.EntriesAsync(second.Point)).Count);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.Empty((await Vault.VerifyPacksAsync(_backups.Objects, new JobMonitor(), Cancel)).Findings);
        Assert.Empty((await _backups.VerifyAsync()).Strangers);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => OpenAsync(Old))).Id);
        KeySlotInfo slot = Assert.Single(await (await _backups.OpenAsync()).ListKeysAsync(Cancel));
        Assert.Equal((1, false), (slot.Epoch, slot.IsOutdated));
    }

    [Fact]
    public async Task Whoever_has_the_earlier_key_reads_what_was_there_and_neither_reads_nor_writes_what_came_since()
    {
        BackupResult first = await BackUpSourceAsync();
        string old = _backups.Objects.Names.Single(name => VaultLayout.KindOf(name, out _) == StoredKind.KeySlot);
        byte[] slot = _backups.Objects.GetContent(old);
        await RotateAsync();
        _backups.Tree.File("later", 5000, seed: 1);
        BackupResult second = await _backups.BackUpAsync();
        _backups.Objects.SetContent(old, slot);

        UnlockedVault thief = await OpenAsync(Old);

        Assert.Equal(first.Point.SessionId, (await thief.GetPointAsync($"{first.Point.SessionId}", null, Cancel)).SessionId);
        BackupException unread = await Assert.ThrowsAsync<BackupException>(() => thief.GetPointAsync($"{second.Point.SessionId}", null, Cancel));
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, unread.Id);
        Assert.Contains("master key number 1", unread.Message, StringComparison.Ordinal);
        string[] names = [.. _backups.Objects.Names];
        foreach (Func<Task> write in new Func<Task>[]
        {
            () => thief.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel),
            () => thief.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel),
            () => thief.Deletions.DeleteAsync(first.Point, "", Cancel),
            () => thief.AddKeyAsync("another passphrase of his", null, Cancel),
            () => thief.RotateKeyAsync("another passphrase of his", Cancel),
            () => thief.RenameMachineAsync("Machine", "his", Cancel),
            async () => await (await thief.IndexAsync(Cancel)).RebuildIndexAsync(new JobMonitor(), Cancel),
        })
        {
            Assert.Equal(BackupErrorId.KeyEpochOutdated, (await Assert.ThrowsAsync<BackupException>(write)).Id);
        }

        Assert.Equal(names, _backups.Objects.Names);

        // With the new passphrase the old slot is told, and does no harm.
        Assert.Equal([0, 1], (await (await _backups.OpenAsync()).ListKeysAsync(Cancel)).Select(known => known.Epoch).Order());
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task Maintenance_seals_anew_what_earlier_keys_have_sealed_until_nothing_is_under_them()
    {
        BackupResult first = await BackUpSourceAsync();
        byte[] stolen = (await _backups.OpenStoreAsync()).Keys.MasterKeyOf(0).ToArray();
        await RotateAsync();
        BackupResult second = await _backups.BackUpAsync();
        Dictionary<string, byte[]> files = await ReadAllAsync(second);
        MaintenanceReport none = await MaintainAsync(0);
        Assert.True(none.Packs.BytesUnderEarlierKeys > 0);
        Assert.Equal(0, none.Packs.BytesRepacked);

        // As much as each run may; the rest stays for the next.
        long most = SealedNames().Max(name => _backups.Objects.GetContent(name).Length);
        long left = none.Packs.BytesUnderEarlierKeys;
        for (int run = 0; left > 0; run++)
        {
            MaintenanceReport report = await MaintainAsync(most);
            Assert.True(report.Packs.BytesUnderEarlierKeys < left, $"run {run}: {report.Packs.BytesUnderEarlierKeys} of {left}");
            Assert.InRange(report.Packs.BytesRepacked, 1, most);
            left = report.Packs.BytesUnderEarlierKeys;
        }

        await MaintainAsync(0);
        Assert.Equal([$"{first.Point.SessionId}"], SealedNames().Where(name => EpochOf(name) == 0).Select(name => name.Split('/')[^1]).Distinct());
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(first.Point, "", Cancel);
        _backups.Clock.Advance(TimeSpan.FromDays(15));
        _backups.Tree.File("later", 100, seed: 1);
        await _backups.BackUpAsync();
        Assert.Equal(1, (await MaintainAsync(0)).PointsGone);

        Assert.DoesNotContain(SealedNames(), name => EpochOf(name) == 0);
        VaultHeader header = await VaultHeader.ReadAsync(_backups.Objects, Cancel);
        StoreId storeId = (await _backups.OpenStoreAsync()).StoreId;
        using var keys = new StoreKeys(stolen, Convert.FromHexString(header.VaultId), storeId);
        foreach (string name in SealedNames().Where(name => !name.Contains("/packs/", StringComparison.Ordinal)))
        {
            Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => SealedObject.Open(keys, name, _backups.Objects.GetContent(name), out _)).Id);
        }

        Assert.Equal(files.Select(file => (file.Key, Convert.ToHexString(file.Value))), (await ReadAllAsync(second)).Select(file => (file.Key, Convert.ToHexString(file.Value))));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        await _backups.AssertNothingStoredTwiceAsync();
    }

    [Fact]
    public async Task It_rotates_again_and_again_and_every_key_slot_of_the_newest_epoch_leads_to_all()
    {
        BackupResult first = await BackUpSourceAsync();
        for (int epoch = 1; epoch <= 4; epoch++)
        {
            using UnlockedVault vault = await _backups.OpenAsync();
            Assert.Equal(epoch, (await vault.RotateKeyAsync(_backups.CurrentPassphrase = $"{New} {epoch}", Cancel)).Epoch);
            await vault.AddKeyAsync($"another of epoch {epoch}", "another", Cancel);
            _backups.Tree.File($"of {epoch}", 1000 + epoch, seed: epoch);
            Assert.Equal(1000 + epoch, (await vault.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel)).ReadBytes);
        }

        Assert.Equal([0, 1, 2, 3, 4], SealedNames().Select(EpochOf).Distinct().Order());
        foreach (string passphrase in new[] { $"{New} 4", "another of epoch 4" })
        {
            UnlockedVault vault = await OpenAsync(passphrase);
            Assert.Empty((await vault.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
            Assert.Equal(5, (await vault.ListPointsAsync(null, Cancel)).Count);
        }

        Assert.Equal(BackupErrorId.KeyEpochOutdated, (await Assert.ThrowsAsync<BackupException>(async () =>
            await (await OpenAsync("another of epoch 3")).BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel))).Id);
        Assert.NotNull(first);
    }

    [Fact]
    public async Task Of_two_who_rotate_at_once_one_does_and_the_others_slot_is_gone()
    {
        await BackUpSourceAsync();
        UnlockedVault[] vaults = [await _backups.OpenAsync(), await _backups.OpenAsync(), await _backups.OpenAsync()];

        Exception?[] outcomes = await Task.WhenAll(vaults.Select((vault, i) => Task.Run(() => Record.ExceptionAsync(() => vault.RotateKeyAsync($"{New} {i}", Cancel)).AsTask())));

        // The slot that all have opened goes once.
        int winner = Array.FindIndex(outcomes, outcome => outcome is null);
        Assert.Equal(2, outcomes.Count(outcome => outcome is BackupException { Id: BackupErrorId.KeyEpochOutdated }));
        _backups.CurrentPassphrase = $"{New} {winner}";
        Assert.Single(await (await _backups.OpenAsync()).ListKeysAsync(Cancel));
        await _backups.BackUpAsync();
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Interrupted_at_any_call_the_vault_opens_by_one_passphrase_or_the_other_and_it_can_be_done_again(FaultTiming timing)
    {
        BackupResult first = await BackUpSourceAsync();
        MemoryVaultStore vault = _backups.Objects.Clone();
        for (int failAt = 1; ; failAt++)
        {
            MemoryVaultStore objects = vault.Clone();
            var faulty = new FaultyVaultStore(objects) { Kind = FaultKind.ForGood, Timing = timing };
            UnlockedVault opened = await TestVault.UnlockAsync(faulty, Old, _backups.Options, Cancel);
            faulty.FailAt = faulty.CountedCalls + failAt;
            Exception? fault = await Record.ExceptionAsync(() => opened.RotateKeyAsync(New, Cancel));

            bool isDone = objects.Names.Any(name => name.Contains("/epochs/", StringComparison.Ordinal));
            UnlockedVault again = await TestVault.UnlockAsync(objects, isDone ? New : Old, _backups.Options, Cancel);
            Assert.Equal(isDone ? 1 : 0, again.Key.Epoch);
            Assert.Equal(first.Point.SessionId, (await again.GetPointAsync("latest", null, Cancel)).SessionId);
            await again.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel);
            await again.RotateKeyAsync(New, Cancel);
            VerifyReport report = await (await TestVault.UnlockAsync(objects, New, _backups.Options, Cancel)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
            Assert.DoesNotContain(report.Findings, finding => !finding.Problem.Contains("another master key", StringComparison.Ordinal));
            if (fault is null)
            {
                Assert.True(failAt > 4);
                return;
            }
        }
    }

    [Fact]
    public async Task The_record_of_an_epoch_is_there_twice_and_without_both_it_is_told_what_is_lost()
    {
        await BackUpSourceAsync();
        await RotateAsync();
        string[] records = [.. _backups.Objects.Names.Where(name => name.Contains("/epochs/", StringComparison.Ordinal))];
        Assert.Equal(2, records.Length);
        byte[][] contents = [.. records.Select(_backups.Objects.GetContent)];
        for (int i = 0; i < 2; i++)
        {
            _backups.Objects.FlipBit(records[i], contents[i].Length / 2);
            Assert.Equal(1, (await _backups.OpenAsync()).Key.Epoch);
            _backups.Objects.Remove(records[i]);
            Assert.Equal(1, (await _backups.OpenAsync()).Key.Epoch);
            _backups.Objects.SetContent(records[i], contents[i]);
        }

        foreach (string record in records)
        {
            _backups.Objects.FlipBit(record, 100);
        }

        Assert.Equal(BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => _backups.OpenAsync())).Id);
    }

    [Fact]
    public async Task The_last_slot_of_the_newest_key_stays_whatever_leads_to_earlier_ones()
    {
        await BackUpSourceAsync();
        await (await _backups.OpenAsync()).AddKeyAsync("another of the first epoch", null, Cancel);
        await RotateAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        IReadOnlyList<KeySlotInfo> slots = await vault.ListKeysAsync(Cancel);
        Assert.Equal([true, false], slots.OrderBy(slot => slot.Epoch).Select(slot => slot.IsOutdated));

        Assert.Equal(BackupErrorId.KeySlotIsLast, (await Assert.ThrowsAsync<BackupException>(() => vault.RemoveKeyAsync(slots.Single(slot => !slot.IsOutdated).KeyId, Cancel))).Id);
        await vault.RemoveKeyAsync(slots.Single(slot => slot.IsOutdated).KeyId, Cancel);
        Assert.Equal(1, (await _backups.OpenAsync()).Key.Epoch);
    }

    [Fact]
    public async Task A_Key_Vault_key_opens_the_new_epoch_too()
    {
        await BackUpSourceAsync();
        var wrapping = RsaKey.Create();
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.AddKeyAsync(wrapping, null, Cancel);

        await vault.RotateKeyAsync(wrapping, Cancel);

        UnlockedVault byKey = await TestVault.UnlockAsync(_backups.Objects, wrapping, _backups.Options, Cancel);
        Assert.Equal(1, byKey.Key.Epoch);
        await byKey.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => OpenAsync(Old))).Id);
    }

    [Fact]
    public void A_record_that_holds_other_keys_than_all_before_its_own_is_refused()
    {
        byte[] sound = KeyEpochs.Encode(new Dictionary<byte, byte[]> { [0] = TestKeys.Bytes(1, 32), [1] = TestKeys.Bytes(2, 32) });
        Assert.Equal(TestKeys.Bytes(2, 32), KeyEpochs.Decode("record", sound, 2)[1]);
        foreach (byte[] content in new[] { sound[..^1], [.. sound, 0], sound[..3], KeyEpochs.Encode(new Dictionary<byte, byte[]> { [0] = TestKeys.Bytes(1, 32), [2] = TestKeys.Bytes(2, 32) }) })
        {
            Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Throws<BackupException>(() => KeyEpochs.Decode("record", content, 2)).Id);
        }

        sound[0] = 2;
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => KeyEpochs.Decode("record", sound, 2)).Id);
    }

    private async Task<BackupResult> BackUpSourceAsync()
    {
        _backups.Tree.Populate(seed: 4, items: 30).Describe("f large 6M");
        return await _backups.BackUpAsync();
    }

    private async Task RotateAsync()
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        await vault.RotateKeyAsync(New, Cancel);
        _backups.CurrentPassphrase = New;
    }

    private Task<UnlockedVault> OpenAsync(string passphrase) => TestVault.UnlockAsync(_backups.Objects, passphrase, _backups.Options, Cancel);

    private async Task<MaintenanceReport> MaintainAsync(long reencrypt)
    {
        MaintenanceReport report = await (await _backups.OpenAsync()).MaintainAsync(new MaintenanceRequest { ReencryptBytes = reencrypt, ShutOutAfter = TimeSpan.Zero }, new JobMonitor(), Cancel);
        Assert.Empty(report.Findings);
        return report;
    }

    private async Task<Dictionary<string, byte[]>> ReadAllAsync(BackupResult backup)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (string path in (await _backups.EntriesAsync(backup.Point)).Where(entry => entry.Value.Kind == Platform.Items.EntryKind.File).Select(entry => entry.Key))
        {
            files[path] = await _backups.ReadAsync(backup.Point, path);
        }

        return files;
    }

    private IEnumerable<string> SealedNames() => _backups.Objects.Names.Where(name =>
        VaultLayout.KindOf(name, out _) is StoredKind.Pack or StoredKind.Segment or StoredKind.Checkpoint or StoredKind.Point or StoredKind.Deletion or StoredKind.Collection
        && !name.EndsWith(".reserve", StringComparison.Ordinal));

    // Of packs and sealed objects alike the eighth byte says it.
    private int EpochOf(string name) => _backups.Objects.GetContent(name)[7];
}
