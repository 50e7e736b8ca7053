using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>A vault that is backed up into, let go of, and maintained; and what each point that is there must give back.</summary>
internal sealed class MaintainedVault : IDisposable
{
    /// <summary>Whoever has said nothing for a moment is taken for dead.</summary>
    public static readonly MaintenanceRequest Impatient = new() { ShutOutAfter = TimeSpan.Zero };

    private readonly BackupFixture _backups;
    private readonly Lock _gate = new();
    private readonly Dictionary<RecoveryPoint, Dictionary<string, byte[]>> _expected = [];

    private readonly List<(string Machine, Dictionary<string, byte[]> Files)> _attempts = [];

    /// <param name="hasIndexCache">Whether all who work on it have their index in one cache.</param>
    public MaintainedVault(bool hasIndexCache = false) => _backups = new BackupFixture { HasIndexCache = hasIndexCache };

    /// <summary>What it is made with.</summary>
    public BackupFixture Backups => _backups;

    /// <summary>Whether a test has damaged it: else no maintenance may find anything.</summary>
    public bool IsDamaged { get; set; }

    public MemoryVaultStore Objects => _backups.Objects;

    public FakeClock Clock => _backups.Clock;

    public IReadOnlyList<RecoveryPoint> Points
    {
        get
        {
            lock (_gate)
            {
                return [.. _expected.Keys];
            }
        }
    }

    /// <summary>The content of a file: the same number, the same bytes. Some take part in bundles, some are cut.</summary>
    public static byte[] Content(int number) => TestKeys.Bytes(number, 20_000 + (number * 7919 % 9 * 60_000));

    /// <summary>Makes the vault.</summary>
    public async Task CreateAsync() => (await _backups.OpenAsync()).Dispose();

    /// <summary>Backs up files with these contents, as one machine or another.</summary>
    public async Task<RecoveryPoint> BackUpAsync(
        int[] contents, IVaultStore? through = null, string machine = BackupFixture.Machine, CancellationToken? cancel = null, IReadOnlyList<string>? tags = null) =>
        (await BackUpToAllAsync(contents, [], through, machine, cancel, tags)).Point;

    /// <summary>Backs up contents by their numbers to twins as well; see <see cref="BackupRequest.Twins"/>.</summary>
    public async Task<BackupResult> BackUpToAllAsync(
        int[] contents,
        IReadOnlyList<IVaultStore> twins,
        IVaultStore? through = null,
        string machine = BackupFixture.Machine,
        CancellationToken? cancel = null,
        IReadOnlyList<string>? tags = null)
    {
        string source = "/" + machine;
        var files = contents.ToDictionary(number => $"{source}/{number}", Content);
        var tree = new FakeSourceTree(source).Folder("");
        foreach (int number in contents.Order())
        {
            tree.File($"{number}", Content(number));
        }

        Clock.Advance(TimeSpan.FromMinutes(1));
        lock (_gate)
        {
            _attempts.Add((machine, files));
        }

        using UnlockedVault vault = await _backups.OpenAsync(through);
        BackupResult result = await vault.BackUpAsync(Request(source) with
        {
            MachineName = machine,
            CheckpointBytes = 1 << 20,
            OpenSource = _ => tree,
            Twins = [.. twins.Select(twin => new TwinPlace(twin.Location, _ => _backups.OpenAsync(twin)))],
            Tags = tags ?? [],
        },
        new JobMonitor(),
        cancel ?? Cancel);
        lock (_gate)
        {
            _expected.Add(result.Point, files);
        }

        return result;
    }

    /// <summary>Lets go of a point for good: as maintenance does when its time is over.</summary>
    public async Task DropAsync(RecoveryPoint point)
    {
        lock (_gate)
        {
            Assert.True(_expected.Remove(point));
        }

        await OpenedVault.Of(await _backups.OpenStoreAsync()).EndAsync(point, Cancel);
    }

    /// <summary>Deletes a point, which can be brought back.</summary>
    public async Task DeleteAsync(RecoveryPoint point)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteManyAsync([point], "a test", evenNewest: true, Cancel);
    }

    /// <summary>Expects the points of backups that died after they had committed, too: each is what somebody meant to back up.</summary>
    public async Task AdoptAsync()
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        IndexedVault indexed = await vault.IndexAsync(Cancel);
        foreach (RecoveryPoint point in (await vault.ListPointsAsync(null, Cancel)).Where(point => Points.All(known => known.SessionId != point.SessionId)))
        {
            HashSet<string> paths = await indexed.ListItemsAsync(point, null, recursive: true, Cancel)
                .Where(item => item.Entry.Kind == Platform.Items.EntryKind.File).Select(item => item.FullPath).ToHashSetAsync(cancellationToken: Cancel);
            lock (_gate)
            {
                _expected.Add(point, _attempts.First(attempt => attempt.Machine == point.MachineName && paths.SetEquals(attempt.Files.Keys)).Files);
            }
        }
    }

    /// <summary>Does not expect a point any more.</summary>
    public void Forget(RecoveryPoint point)
    {
        lock (_gate)
        {
            Assert.True(_expected.Remove(point));
        }
    }

    /// <summary>Brings a point back.</summary>
    public async Task UndeleteAsync(RecoveryPoint point)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.RestoreAsync(point.SessionId.ToString(), null, Cancel);
    }

    public async Task<MaintenanceReport> MaintainAsync(MaintenanceRequest? request = null, IVaultStore? through = null)
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        using UnlockedVault vault = await _backups.OpenAsync(through);
        MaintenanceReport report = await vault.MaintainAsync(request ?? new MaintenanceRequest(), new JobMonitor(), Cancel);
        Assert.True(IsDamaged || report.Findings.Count == 0, string.Join('\n', report.Findings));
        return report;
    }

    public async Task<RepairReport> RepairAsync(RepairRequest? request = null, IVaultStore? through = null)
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        using UnlockedVault vault = await _backups.OpenAsync(through);
        return await vault.RepairAsync(request ?? new RepairRequest(), new JobMonitor(), Cancel);
    }

    /// <summary>The same with somebody who gives what no pack has.</summary>
    public async Task<RepairReport> RepairAsync(IPackRescue rescue)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        return await new VaultRepair(vault.WithoutIndex, _backups.Options, new RepairRequest(), new JobMonitor(), rescue, _ => { }).RunAsync(Cancel);
    }

    public Task<VerifyReport> VerifyAsync() => _backups.VerifyAsync();

    /// <summary>Restores a point into a folder of its own.</summary>
    /// <returns>What came of it, what was skipped, and the files that are as they were backed up; any other file must have been skipped, and left out.</returns>
    public async Task<(RestoreResult Result, IReadOnlyList<SkippedItem> Skipped, int Whole)> RestoreAsync(
        RecoveryPoint point, IVaultStore? through = null, Action<BackupException>? damaged = null)
    {
        using var folder = new TempFolder();
        var skipped = new ConcurrentBag<SkippedItem>();
        Dictionary<string, byte[]> expected = _expected[point];
        using UnlockedVault vault = await _backups.OpenAsync(through);
        var monitor = new JobMonitor { ItemSkipped = skipped.Add, VaultDamaged = damaged };
        var request = new RestoreRequest { Point = point, TargetFolder = folder["target"], SkipSecurity = true };
        RestoreResult result = await (await vault.IndexAsync(Cancel)).RestoreAsync(request, monitor, Cancel);
        int whole = 0;
        foreach ((string path, byte[] content) in expected)
        {
            string file = folder["target"] + path;
            if (File.Exists(file))
            {
                Assert.Equal(content, await File.ReadAllBytesAsync(file, Cancel));
                whole++;
            }
            else
            {
                Assert.Contains(skipped, item => item.Path == path);
            }
        }

        return (result, [.. skipped], whole);
    }

    /// <summary>Verifies, and puts on record what was found, as the commands do.</summary>
    public async Task<VerifyReport> VerifyOnRecordAsync(VerifyLevel level)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        return await (await vault.IndexAsync(Cancel)).VerifyAsync(level, new JobMonitor(), Cancel, keepsRecord: true);
    }

    /// <summary>The packs that are on record as damaged.</summary>
    public async Task<IReadOnlyList<string>> ReadRecordedAsync()
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        return (await vault.Proofs.ReadAsync(Cancel)).DamagedPacks;
    }

    public Task<ChunkStore> OpenStoreAsync() => _backups.OpenStoreAsync();

    /// <summary>Every file of every point is there, byte for byte, and a verification finds nothing.</summary>
    public async Task AssertWholeAsync()
    {
        VerifyReport report = await _backups.VerifyAsync();
        Assert.Empty(report.Findings);
        using UnlockedVault vault = await _backups.OpenAsync();
        IndexedVault indexed = await vault.IndexAsync(Cancel);
        Assert.Equal(Points.Select(point => point.SessionId).Order(), (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId).Order());
        foreach (RecoveryPoint point in Points)
        {
            await AssertHoldsAsync(indexed, point);
        }
    }

    /// <summary>Every file of a point is there, byte for byte.</summary>
    public async Task AssertHoldsAsync(IndexedVault vault, RecoveryPoint point)
    {
        var left = new HashSet<string>(_expected[point].Keys);
        await foreach (RecoverableItem item in vault.ListItemsAsync(point, null, recursive: true, Cancel))
        {
            if (item.Entry.Kind == Platform.Items.EntryKind.File)
            {
                using var content = new MemoryStream();
                await using Stream stream = vault.OpenRead(item);
                await stream.CopyToAsync(content, Cancel);
                Assert.Equal(_expected[point][item.FullPath], content.ToArray());
                Assert.True(left.Remove(item.FullPath));
            }
        }

        Assert.Empty(left);
    }

    /// <summary>Every file of a point is there, byte for byte, but for those that are named; and what is named is not there, or cannot be read.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="point">The point.</param>
    /// <param name="named">Files that are lost.</param>
    /// <param name="mayLackItems">Whether items may be lost of which nobody can say which they were.</param>
    public async Task AssertHoldsAsync(IndexedVault vault, RecoveryPoint point, IReadOnlySet<string> named, bool mayLackItems)
    {
        var left = new HashSet<string>(_expected[point].Keys);
        await foreach (RecoverableItem item in vault.ListItemsAsync(point, null, recursive: true, Cancel, damaged: _ => { }))
        {
            if (item.Entry.Kind != Platform.Items.EntryKind.File)
            {
                continue;
            }

            Assert.True(left.Remove(item.FullPath));
            using var content = new MemoryStream();
            await using Stream stream = vault.OpenRead(item);
            if (named.Contains(item.FullPath))
            {
                Assert.True((await Assert.ThrowsAsync<BackupException>(() => stream.CopyToAsync(content, Cancel))).IsDamage);
            }
            else
            {
                await stream.CopyToAsync(content, Cancel);
                Assert.Equal(_expected[point][item.FullPath], content.ToArray());
            }
        }

        Assert.True(mayLackItems || left.Count == 0, string.Join('\n', left));
    }

    public async Task<IndexedVault> OpenAsync(IVaultStore? through = null) => await (await _backups.OpenAsync(through)).IndexAsync(Cancel);

    /// <summary>Nothing is there that nobody needs: no pack, segment, checkpoint or session but those of points, and of the last maintenance itself.</summary>
    public async Task AssertTidyAsync()
    {
        IReadOnlyList<string> untidy = await OpenedVault.Of(await _backups.OpenStoreAsync()).FindUntidyAsync(Cancel);
        Assert.True(untidy.Count == 0, string.Join('\n', untidy));
    }

    /// <summary>Sets how much parity maintenance keeps.</summary>
    public async Task SetParityAsync(int percent)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        await vault.Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { ParityPercent = percent }, Cancel);
    }

    /// <summary>The objects of parity.</summary>
    public IReadOnlyList<string> ParityNames => [.. Names(StoredKind.ParityGroup), .. Names(StoredKind.ParityShards)];

    /// <summary>Every pack is in one group, nothing else is, and each comes back when it is lost.</summary>
    /// <param name="isGoing">Whether packs are about to be deleted, which are in none any more.</param>
    public async Task AssertProtectedAsync(bool isGoing = false)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        List<StoredObject> listed = await Objects.ListAsync(VaultLayout.Parity(store.StoreId), Cancel).ToListAsync(Cancel);
        (List<KnownGroup> groups, List<(SessionId, uint)> ruins) = await new ParityStore(store).ReadAsync(listed, damage => Assert.Fail(damage.Message), Cancel);
        Assert.Empty(ruins);
        Dictionary<string, ParityMember> members = groups.SelectMany(group => group.Group.Members).ToDictionary(member => VaultLayout.Pack(store.StoreId, member.Session, member.Number));
        string[] packs = [.. Names(StoredKind.Pack).Where(name => !isGoing || members.ContainsKey(name))];
        Assert.Equal(packs, members.Keys.Order(StringComparer.Ordinal));
        MemoryVaultStore copy = Objects.Clone();
        var rescue = new ParityRescue(await TestVault.OpenStoreAsync(copy, store.Header, store.StoreId, (await _backups.OpenAsync()).Key.MasterKey, Cancel));
        foreach (string pack in packs)
        {
            byte[] content = copy.GetContent(pack);
            copy.Remove(pack);
            Assert.Equal(content, await rescue.RecoverAsync(members[pack].Pack, content.Length, Cancel));
            copy.SetContent(pack, content);
        }
    }

    /// <summary>What parity gives back of a pack.</summary>
    public async Task<byte[]?> RescueAsync(string pack, int length)
    {
        Assert.True(VaultLayout.TryParseNumbered(pack, out SessionId session, out uint number));
        return await new ParityRescue(await _backups.OpenStoreAsync()).RecoverAsync((session, number), length, Cancel);
    }

    public IReadOnlyList<string> Names(StoredKind kind) => [.. Objects.Names.Where(name => VaultLayout.KindOf(name, out _) == kind).Order(StringComparer.Ordinal)];

    public long PackBytes => Names(StoredKind.Pack).Sum(name => (long)Objects.GetContent(name).Length);

    public void Dispose() => _backups.Dispose();
}
