using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>What maintenance has a storage keep whose locks run out: neither less nor longer than an immutable vault promises, and by few requests.</summary>
public sealed class StorageLockTests : IDisposable
{
    private const int Days = 60;

    private readonly BackupFixture _backups = new();
    private LockingVaultStore _store;

    public StorageLockTests() => _store = new LockingVaultStore(_backups.Objects, _backups.Clock);

    private DateTimeOffset Now => _backups.Clock.GetUtcNow();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(VaultImmutability.On)]
    [InlineData(VaultImmutability.Locked)]
    public async Task What_a_point_needs_is_locked_for_its_time_and_what_is_deleted_early_is_not(VaultImmutability immutability)
    {
        RecoveryPoint point = await BackUpAsync("a");
        Assert.Equal(0, (await MaintainAsync()).Locks.Changed);
        await SetAsync(immutability);

        MaintenanceReport report = await MaintainAsync();

        StoredKind[] kinds = [.. _store.Held.Keys.Select(KindOf).Distinct().Order()];
        Assert.Equal([StoredKind.Header, StoredKind.KeySlot, StoredKind.Settings, StoredKind.Pack, StoredKind.Point], kinds);
        Assert.Equal(_store.Held.Count, report.Locks.Changed);
        Assert.All(_store.Held.Values, held => Assert.Equal((point.Created! + TimeSpan.FromDays(Days), immutability == VaultImmutability.Locked), (held.Until, held.IsFirm)));
        Assert.Equal((0, null), ((await MaintainAsync()).Locks.Changed, report.Locks.Obstacle));
    }

    [Fact]
    public async Task A_lock_is_extended_shortly_before_it_runs_out_and_only_where_a_young_point_needs_it()
    {
        await SetAsync(VaultImmutability.Locked);
        await BackUpAsync("shared", "old");
        await MaintainAsync();
        string[] first = [.. _store.Held.Keys];
        string old = await PackOfAsync("old");
        string shared = await PackOfAsync("shared");
        _backups.Tree.Delete("old");
        int requests = _store.LockRequests;

        // Each day a point, each week a maintenance: nothing is asked for of what still has three weeks to go.
        DateTimeOffset made = Now;
        while (Now - made < TimeSpan.FromDays(Days - 27))
        {
            await LiveAsync();
        }

        Assert.Equal(first.Where(name => KindOf(name) is StoredKind.Pack).Select(name => _store.Held[name].Until), first.Where(name => KindOf(name) is StoredKind.Pack).Select(_ => (DateTimeOffset?)_store.Held[old].Until));
        Assert.InRange(_store.LockRequests - requests, 1, _store.Held.Count);

        while (Now - made < TimeSpan.FromDays(Days + 3))
        {
            await LiveAsync();
        }

        Assert.False(_store.Held.ContainsKey(old));
        Assert.True(_store.Held[shared].Until > Now + TimeSpan.FromDays(Days / 2));

        // No object was asked for more often than its time allows: once in forty days, and once when it came.
        Assert.InRange(_store.LockRequests, 1, 3 * _backups.Objects.Names.Count(name => KindOf(name) is StoredKind.Header or StoredKind.KeySlot or StoredKind.Settings or StoredKind.Pack or StoredKind.Point));

        async Task LiveAsync()
        {
            for (int day = 0; day < 7; day++)
            {
                _backups.Clock.Advance(TimeSpan.FromDays(1));
                await BackUpAsync($"day{day}");
            }

            await MaintainAsync();
        }
    }

    [Fact]
    public async Task What_is_locked_is_never_locked_for_longer_than_the_youngest_point_that_needs_it()
    {
        await SetAsync(VaultImmutability.Locked);
        var points = new List<(RecoveryPoint Point, string Pack)>();
        for (int i = 0; i < 8; i++)
        {
            RecoveryPoint point = await BackUpAsync($"only{i}");
            points.Add((point, await PackOfAsync($"only{i}")));
            _backups.Tree.Delete($"only{i}");
            _backups.Clock.Advance(TimeSpan.FromDays(5));
        }

        await MaintainAsync();

        Assert.All(points, one => Assert.InRange(_store.Held[one.Pack].Until!.Value - one.Point.Created!.Value, TimeSpan.FromDays(Days), TimeSpan.FromDays(Days + 1)));
    }

    [Fact]
    public async Task A_locked_object_in_the_way_is_postponed_and_named_and_the_rest_goes()
    {
        // By a default that somebody has set for everything that is created, of which nothing is known here.
        _store = new LockingVaultStore(_backups.Objects, _backups.Clock) { Default = TimeSpan.FromDays(20) };
        RecoveryPoint first = await BackUpAsync("first");
        string pack = await PackOfAsync("first");
        _backups.Tree.Delete("first");
        _backups.Clock.Advance(TimeSpan.FromDays(15));
        RecoveryPoint second = await BackUpAsync("second");
        await EndAsync(first);
        _backups.Clock.Advance(TimeSpan.FromDays(2));

        MaintenanceReport early = await MaintainAsync();

        Assert.Contains(early.Locks.Kept, kept => kept.Target == pack || KindOf(kept.Target!) == StoredKind.Commit);
        Assert.Empty(early.Findings);
        Assert.Contains(pack, _backups.Packs);
        Assert.Empty((await _backups.VerifyAsync()).Findings);

        for (int week = 0; week < 8; week++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(7));
            await MaintainAsync();
        }

        Assert.DoesNotContain(pack, _backups.Packs);
        Assert.DoesNotContain(_backups.Points, name => name.EndsWith(first.SessionId.ToString(), StringComparison.Ordinal));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.NotEmpty(await _backups.ReadAsync(second, $"{_backups.Root}/second"));
    }

    [Fact]
    public async Task Packs_that_nothing_can_delete_are_not_written_anew()
    {
        await SetAsync(VaultImmutability.Locked);
        for (int i = 0; i < 20; i++)
        {
            await BackUpAsync($"small{i}");
        }

        // The first run finds nothing locked yet, and gathers small packs; what it writes is locked by the same run.
        MaintenanceReport gathered = await MaintainAsync();
        Assert.NotEqual(0, gathered.Packs.Repacked);
        Assert.All(_backups.Packs, pack => Assert.Contains(pack, _store.Held.Keys));
        for (int i = 0; i < 20; i++)
        {
            await BackUpAsync($"more{i}");
        }

        await LockAllAsync();
        MaintenanceReport later = await MaintainAsync();

        Assert.Equal((0, 0), (later.Packs.Repacked, later.Packs.Condemned));
        Assert.Empty(later.Locks.Kept);
        async Task LockAllAsync()
        {
            foreach (string pack in _backups.Packs)
            {
                await _store.LockAsync(pack, Now.AddDays(Days), isFirm: true, Cancel);
            }
        }
    }

    [Fact]
    public async Task Who_may_not_lock_asks_once_is_told_why_and_does_the_rest()
    {
        await SetAsync(VaultImmutability.On, days: 20);
        RecoveryPoint first = await BackUpAsync("first");
        _backups.Tree.Delete("first");
        _backups.Clock.Advance(TimeSpan.FromDays(21));
        await BackUpAsync("second");
        await EndAsync(first);
        var other = new LockingVaultStore(_store, mayLock: false);

        MaintenanceReport report = await MaintainAsync(other);

        Assert.Empty(report.Findings);
        Assert.Contains("may not be locked", report.Locks.Obstacle, StringComparison.Ordinal);
        Assert.InRange(other.LockRequests, 1, _backups.Objects.Capabilities.MaxConcurrency);
        Assert.NotEqual(0, report.Packs.Deleted);
        Assert.Empty(_store.Held);
    }

    [Fact]
    public async Task What_was_locked_softly_is_unlocked_when_the_vault_is_not_immutable_any_more()
    {
        await SetAsync(VaultImmutability.On);
        await BackUpAsync("a");
        await MaintainAsync();
        Assert.NotEmpty(_store.Held);
        await SetAsync(VaultImmutability.Off);

        Assert.NotEqual(0, (await MaintainAsync()).Locks.Changed);

        Assert.Empty(_store.Held);
        Assert.Equal(0, (await MaintainAsync()).Locks.Changed);
    }

    [Fact]
    public async Task A_point_that_somebody_says_is_gone_before_its_time_stays_with_what_it_needs()
    {
        await SetAsync(VaultImmutability.Locked);
        RecoveryPoint first = await BackUpAsync("first");
        string pack = await PackOfAsync("first");
        _backups.Tree.Delete("first");
        await BackUpAsync("second");

        // Whoever has the key can write that.
        await EndAsync(first);
        for (int day = 0; day < Days - 1; day++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(1));
            await BackUpAsync("second");
            Assert.Empty((await MaintainAsync()).Findings);
            Assert.Contains(pack, _backups.Packs);
            Assert.Contains(_backups.Points, name => name.EndsWith(first.SessionId.ToString(), StringComparison.Ordinal));
        }

        for (int day = 0; day < 20; day++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(1));
            await BackUpAsync("second");
            await MaintainAsync();
        }

        Assert.DoesNotContain(pack, _backups.Packs);
    }

    private static StoredKind KindOf(string name) => VaultLayout.KindOf(name, out _);

    private async Task<RecoveryPoint> BackUpAsync(params string[] files)
    {
        foreach (string file in files)
        {
            _backups.Tree.File(file, 60_000, seed: file.GetHashCode(StringComparison.Ordinal) ^ (int)Now.Ticks);
            _backups.Clock.Advance(TimeSpan.FromMinutes(1));
            if (file != files[^1])
            {
                await BackUpNowAsync();
            }
        }

        return await BackUpNowAsync();
    }

    private async Task<RecoveryPoint> BackUpNowAsync()
    {
        await _backups.OpenAsync();
        UnlockedVault vault = await TestVault.UnlockAsync(_store, BackupFixture.Passphrase, _backups.Options, Cancel);
        RecoveryPoint made = (await vault.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel)).Point;
        return (await vault.ListPointsAsync(null, Cancel)).Single(point => point.SessionId == made.SessionId);
    }

    private async Task<MaintenanceReport> MaintainAsync(IVaultStore? store = null) =>
        await (await _backups.OpenAsync(store ?? _store)).MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);

    private async Task SetAsync(VaultImmutability immutability, int days = Days)
    {
        await _backups.OpenAsync();
        await TestVault.ChangeSettingsAsync(_store, _backups.Owner.Key, settings => settings with { Immutability = immutability, ImmutableDays = days }, Cancel);
    }

    private async Task EndAsync(RecoveryPoint point) => await OpenedVault.Of(await _backups.OpenStoreAsync()).EndAsync(point, Cancel);

    // The pack that has the content of a file of the newest point.
    private async Task<string> PackOfAsync(string file)
    {
        RecoveryPoint newest = (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel))[0];
        var store = await _backups.OpenStoreAsync();
        ManifestEntry entry = (await _backups.EntriesAsync(newest))[$"{_backups.Root}/{file}"];
        await foreach (ContentSlice slice in new EntryContentReader(store).ReadAsync(entry.Content, Cancel))
        {
            Assert.True(store.Index.TryFind(slice.Chunk!.Value, out var location));
            return store.NameOf(location.Pack);
        }

        throw new InvalidOperationException($"'{file}' has no content.");
    }
}
