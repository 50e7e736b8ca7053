using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class MeteredVaultStoreTests
{
    private const string Passphrase = "a passphrase for tests";

    private readonly MemoryVaultStore _memory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_call_is_counted_in_its_class_and_bytes_both_ways()
    {
        var store = new MeteredVaultStore(_memory);

        await store.TryCreateAsync("a/1", new byte[100], Stop);
        await store.TryCreateAsync("a/1", new byte[50], Stop);
        await store.ReadAsync("a/1", 90, new byte[30], Stop);
        await store.StatAsync("a/2", Stop);
        await store.DeleteAsync("a/1", Stop);
        await store.ListAsync("a/", Stop).ToListAsync(Stop);

        Assert.Equal(new VaultTraffic(Writes: 2, Lists: 1, Reads: 1, Others: 2, SentBytes: 150, FetchedBytes: 10), store.Traffic);
    }

    [Fact]
    public async Task An_attempt_that_failed_and_its_repetition_are_two()
    {
        var store = new MeteredVaultStore(new FaultyVaultStore(_memory) { FailAt = 1 });
        var resilient = new ResilientVaultStore(store, timeProvider: new FakeClock { SkipsWaits = true });

        Assert.True(await resilient.TryCreateAsync("a", new byte[7], Stop));

        Assert.Equal(2, resilient.Traffic!.Value.Writes);
        Assert.Equal(14, resilient.Traffic!.Value.SentBytes);
    }

    [Fact]
    public async Task A_read_that_fails_has_fetched_nothing()
    {
        var store = new MeteredVaultStore(_memory);

        await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("absent", 0, new byte[10], Stop));

        Assert.Equal(new VaultTraffic(0, 0, Reads: 1, 0, 0, FetchedBytes: 0), store.Traffic);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5000, 1)]
    [InlineData(5001, 2)]
    public async Task A_listing_is_as_many_as_it_has_pages(int objects, int pages)
    {
        for (int i = 0; i < objects; i++)
        {
            _memory.SetContent($"a/{i}", []);
        }

        var store = new MeteredVaultStore(_memory);
        await store.ListAsync("a/", Stop).CountAsync(Stop);

        Assert.Equal(pages, store.Traffic!.Value.Lists);
    }

    [Fact]
    public async Task An_engine_tells_all_that_its_vault_was_asked_from_its_opening_on()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["file"], new byte[1000], Stop);
        var options = new VaultOptions { KeyDerivationIterations = 1 };
        await Vault.CreateAsync(_memory, Passphrase, options, Stop);
        var store = new MeteredVaultStore(_memory);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(folder["file"], SourceSelection.Everything)] };

        UnlockedVault engine = await TestVault.UnlockAsync(store, Passphrase, options, Stop);
        VaultTraffic opened = engine.Traffic!.Value;
        Assert.True(opened is { Writes: 0, Lists: > 0, Reads: > 0, SentBytes: 0, FetchedBytes: > 0 });

        BackupResult backup = await engine.BackUpAsync(request, new JobMonitor(), Stop);
        VaultTraffic backedUp = engine.Traffic!.Value;
        Assert.True(backedUp is { Writes: > 0, SentBytes: > 0 });
        Assert.True(backedUp.Lists > opened.Lists);

        await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop);
        VaultTraffic verified = engine.Traffic!.Value;
        Assert.Equal((backedUp.Writes, backedUp.SentBytes), (verified.Writes, verified.SentBytes));
        Assert.True(verified.Reads > backedUp.Reads);
        Assert.True(verified.FetchedBytes > backedUp.FetchedBytes);

        var restore = new RestoreRequest { Point = backup.Point, TargetFolder = folder["back"] };
        await engine.PlanRestoreAsync(restore, new JobMonitor(), Stop);
        VaultTraffic planned = engine.Traffic!.Value;
        Assert.True(planned.Lists > verified.Lists);

        await engine.RestoreAsync(restore, new JobMonitor(), Stop);
        VaultTraffic restored = engine.Traffic!.Value;
        Assert.Equal((planned.Writes, planned.SentBytes), (restored.Writes, restored.SentBytes));
        Assert.True(restored.Reads > planned.Reads);
        Assert.Equal(store.Traffic, restored);
    }

    [Fact]
    public async Task Where_nobody_counts_nothing_is_told()
    {
        var options = new VaultOptions { KeyDerivationIterations = 1 };
        await Vault.CreateAsync(_memory, Passphrase, options, Stop);

        UnlockedVault engine = await TestVault.UnlockAsync(_memory, Passphrase, options, Stop);

        Assert.Null(engine.Traffic);
    }
}
