using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>What is copied to a twin, is there as it was; and what is there costs nothing.</summary>
public sealed class VaultCopyTests : IDisposable
{
    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task Points_of_all_machines_are_in_the_twin_byte_for_byte_and_were_not_compressed_again()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2, 3]);
        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3, 4]);
        RecoveryPoint other = await _vaults.Source.BackUpAsync([3, 5], machine: "Other");

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal((3, 0, 0, 0, 0), (report.PointsCopied, report.PointsThere, report.PointsOlder, report.PointsEnded, report.Damaged.Count));
        await _vaults.AssertHoldsAsync(_vaults.Twin, first, second, other);
        Dictionary<ChunkId, PackedChunk> chunks = await ReadChunksAsync(_vaults.Source.Objects);
        Dictionary<ChunkId, PackedChunk> copies = await ReadChunksAsync(_vaults.Twin);
        Assert.Equal(report.Chunks, copies.Count);
        Assert.All(copies.Values, copy => Assert.Equal(
            (chunks[copy.Id].Kind, chunks[copy.Id].Encoding, chunks[copy.Id].RawLength, chunks[copy.Id].StoredLength), (copy.Kind, copy.Encoding, copy.RawLength, copy.StoredLength)));
        Assert.Equal(3, TwinnedVault.Names(_vaults.Twin, StoredKind.Commit).Count);

        // Nobody waits for a copy that is over, in neither place.
        Assert.Empty((await CollectionView.TakeAsync(await _vaults.OpenStoreAsync(_vaults.Source.Objects), Cancel)).Open);
        Assert.Empty((await CollectionView.TakeAsync(await _vaults.OpenStoreAsync(_vaults.Twin), Cancel)).Open);
        Assert.Equal(["Machine", "Other"], (await TestVault.InspectAsync(_vaults.Twin, Cancel)).Machines);
    }

    [Fact]
    public async Task What_the_twin_has_is_neither_read_nor_written_and_what_is_new_is_all_that_is()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2, 3]);
        await _vaults.CopyAsync();
        string[] before = [.. _vaults.Twin.Names];
        var watched = new FaultyVaultStore(_vaults.Source.Objects) { Counts = (call, name) => call == VaultCall.Create || name.Contains("/packs/", StringComparison.Ordinal) };

        VaultCopyReport unchanged = await _vaults.CopyAsync(watched);

        Assert.Equal((0, 1, 0L, 0L), (unchanged.PointsCopied, unchanged.PointsThere, unchanged.Chunks, unchanged.StoredBytes));
        Assert.Equal(before, _vaults.Twin.Names);
        Assert.Equal(0, watched.CountedCalls);

        int known = (await ReadChunksAsync(_vaults.Twin)).Count;
        RecoveryPoint second = await _vaults.Source.BackUpAsync([1, 2, 3, 4]);
        VaultCopyReport later = await _vaults.CopyAsync();
        Assert.Equal((1, 1), (later.PointsCopied, later.PointsThere));
        Assert.Equal(later.Chunks, (await ReadChunksAsync(_vaults.Twin)).Count - known);
        await _vaults.AssertHoldsAsync(_vaults.Twin, first, second);
    }

    [Fact]
    public async Task A_copy_of_a_copy_is_as_good_and_the_next_backup_to_a_twin_is_incremental()
    {
        await _vaults.CreateAsync();
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1, 2, 3]);
        await _vaults.CopyAsync();
        MemoryVaultStore third = await _vaults.CreateTwinAsync(_vaults.Twin);

        await _vaults.CopyAsync(_vaults.Twin, third);

        await _vaults.AssertHoldsAsync(third, point);
        Assert.Equal(0, (await _vaults.CopyAsync(third, _vaults.Source.Objects)).PointsCopied);
        RecoveryPoint next = await _vaults.Source.BackUpAsync([1, 2, 3, 4], through: third);
        Assert.Equal(point.SessionId, next.ParentSessionId);
        Assert.Equal(MaintainedVault.Content(4).LongLength, next.NewBytes);
        Assert.Equal(1, (await _vaults.CopyAsync(third, _vaults.Source.Objects)).PointsCopied);
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, point, next);
    }

    [Fact]
    public async Task What_has_ended_in_the_twin_does_not_come_back_by_itself()
    {
        await _vaults.CreateAsync();
        RecoveryPoint[] points = [await _vaults.Source.BackUpAsync([1]), await _vaults.Source.BackUpAsync([2]), await _vaults.Source.BackUpAsync([3])];
        await _vaults.CopyAsync();
        await _vaults.EndAsync(_vaults.Twin, points[0]);
        await _vaults.EndAsync(_vaults.Twin, points[1]);
        Assert.Equal((0, 3, 0), await CopyAsync());
        await _vaults.MaintainAsync(_vaults.Twin);
        Assert.Equal((0, 1, 2), await CopyAsync());

        // The record of the second stays, because the third went on from it; that of the first goes.
        bool IsOfFirst(string name) => name.Contains($"{points[0].SessionId}", StringComparison.Ordinal);
        for (int run = 0; TwinnedVault.Names(_vaults.Twin, StoredKind.Deletion).Any(IsOfFirst); run++)
        {
            Assert.True(run < 10, string.Join('\n', TwinnedVault.Names(_vaults.Twin, StoredKind.Deletion)));
            _vaults.Source.Clock.Advance(TimeSpan.FromDays(1));
            await _vaults.MaintainAsync(_vaults.Twin);
        }

        // Nothing there says any more that the first was there.
        VaultCopyReport report = await _vaults.CopyAsync();
        Assert.Equal((0, 1, 1, 1), (report.PointsCopied, report.PointsThere, report.PointsOlder, report.PointsEnded));
        await _vaults.AssertHoldsAsync(_vaults.Twin, points[2]);

        Assert.Equal(1, (await _vaults.CopyAsync(request: new VaultCopyRequest { IncludesOlder = true })).PointsCopied);
        await _vaults.AssertHoldsAsync(_vaults.Twin, points[0], points[2]);

        async Task<(int Copied, int There, int Ended)> CopyAsync()
        {
            VaultCopyReport made = await _vaults.CopyAsync();
            return (made.PointsCopied, made.PointsThere, made.PointsEnded);
        }
    }

    [Fact]
    public async Task Points_that_are_named_are_copied_alone()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2]);
        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3]);
        await _vaults.Source.BackUpAsync([4]);

        await _vaults.CopyAsync(request: new VaultCopyRequest { Points = new HashSet<SessionId> { second.SessionId } });
        await _vaults.AssertHoldsAsync(_vaults.Twin, second);
        await _vaults.CopyAsync(request: new VaultCopyRequest { Points = new HashSet<SessionId> { first.SessionId } });
        await _vaults.AssertHoldsAsync(_vaults.Twin, first, second);
    }

    [Fact]
    public async Task A_damaged_point_is_named_and_the_others_are_copied()
    {
        await _vaults.CreateAsync();
        RecoveryPoint[] points = [await _vaults.Source.BackUpAsync([1, 2]), await _vaults.Source.BackUpAsync([2, 3]), await _vaults.Source.BackUpAsync([1, 3])];
        MemoryVaultStore sound = _vaults.Source.Objects.Clone();
        string pack = await DamageAsync(points[0], "/Machine/2");

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal(1, report.PointsCopied);
        Assert.Equal([points[0].SessionId, points[1].SessionId], report.Damaged.Select(damaged => damaged.SessionId));
        Assert.All(report.Damaged, damaged => Assert.Equal((pack, BackupFixture.Machine), (damaged.Damage.Target, damaged.MachineName)));

        // The paths that suffer are told, of each point that was left out, and of no other.
        Assert.Equal(
            new[] { points[0].SessionId, points[1].SessionId }.Order().Select(session => (session, "/Machine/2")),
            Assert.Single(report.Findings).Affected.Select(item => (item.PointId, item.Path!)).OrderBy(item => item.PointId));
        await _vaults.AssertHoldsAsync(_vaults.Twin, points[2]);

        // Once it is mended they can be had.
        _vaults.Source.Objects.SetContent(pack, sound.GetContent(pack));
        Assert.Equal(2, (await _vaults.CopyAsync()).PointsOlder);
        Assert.Equal(2, (await _vaults.CopyAsync(request: new VaultCopyRequest { IncludesOlder = true })).PointsCopied);
        await _vaults.AssertHoldsAsync(_vaults.Twin, points);
    }

    [Fact]
    public async Task A_rehearsal_counts_what_would_be_copied_and_touches_neither_place()
    {
        await _vaults.CreateAsync();
        await _vaults.Source.BackUpAsync([1]);
        await _vaults.CopyAsync();
        await _vaults.Source.BackUpAsync([2]);
        await _vaults.Source.BackUpAsync([3]);
        string[] before = [.. _vaults.Source.Objects.Names, .. _vaults.Twin.Names];

        VaultCopyReport report = await _vaults.CopyAsync(request: new VaultCopyRequest { IsRehearsal = true });

        Assert.Equal((true, 2, 1, 0L), (report.IsRehearsal, report.PointsCopied, report.PointsThere, report.StoredBytes));
        string[] after = [.. _vaults.Source.Objects.Names, .. _vaults.Twin.Names];
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task A_long_history_of_small_changes_makes_few_packs()
    {
        await _vaults.CreateAsync();
        for (int i = 0; i < 70; i++)
        {
            await _vaults.Source.BackUpAsync([i % 3]);
        }

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal(70, report.PointsCopied);
        Assert.InRange(TwinnedVault.Names(_vaults.Twin, StoredKind.Segment).Count, 1, 3);
        Assert.InRange(TwinnedVault.Names(_vaults.Twin, StoredKind.Pack).Count, 1, 6);
        await _vaults.AssertHoldsAsync(_vaults.Twin, [.. _vaults.Source.Points]);
    }

    [Fact]
    public async Task A_damaged_point_keeps_none_of_those_that_are_copied_with_it()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1]);
        RecoveryPoint bad = await _vaults.Source.BackUpAsync([1, 2]);
        string pack = await DamageAsync(bad, "/Machine/2");
        RecoveryPoint[] later = [await _vaults.Source.BackUpAsync([3], machine: "Other"), await _vaults.Source.BackUpAsync([1, 4])];

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal(3, report.PointsCopied);
        Assert.Equal((bad.SessionId, pack), (Assert.Single(report.Damaged).SessionId, report.Damaged[0].Damage.Target));
        await _vaults.AssertHoldsAsync(_vaults.Twin, [first, .. later]);

        // It is not asked for again, and not forgotten either.
        VaultCopyReport again = await _vaults.CopyAsync();
        Assert.Equal((0, 3, 1), (again.PointsCopied, again.PointsThere, again.PointsOlder));
    }

    [Fact]
    public async Task A_point_that_cannot_be_read_is_named()
    {
        await _vaults.CreateAsync();
        RecoveryPoint bad = await _vaults.Source.BackUpAsync([1]);
        RecoveryPoint good = await _vaults.Source.BackUpAsync([2]);
        _vaults.Source.Objects.FlipBit(TwinnedVault.Names(_vaults.Source.Objects, StoredKind.Point).Single(name => name.EndsWith($"{bad.SessionId}", StringComparison.Ordinal)), 60);

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal(bad.SessionId, Assert.Single(report.Damaged).SessionId);
        await _vaults.AssertHoldsAsync(_vaults.Twin, good);
    }

    [Fact]
    public async Task What_a_pack_does_not_give_comes_from_another_copy_or_from_parity()
    {
        await _vaults.Source.CreateAsync();
        await _vaults.Source.SetParityAsync(10);
        MemoryVaultStore twin = await _vaults.CreateTwinAsync(_vaults.Source.Objects);
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1, 2, 3]);
        await _vaults.Source.MaintainAsync();
        _vaults.Source.Objects.Remove(TwinnedVault.Names(_vaults.Source.Objects, StoredKind.Pack)[0]);
        var told = new List<BackupException>();

        VaultCopyReport report = await _vaults.CopyAsync(to: twin, monitor: new() { VaultDamaged = told.Add });

        Assert.Equal((1, 0), (report.PointsCopied, report.Damaged.Count));
        Assert.NotEmpty(told);
        await _vaults.AssertHoldsAsync(twin, point);
    }

    [Fact]
    public async Task Packs_that_no_segment_names_are_copied_from_as_well()
    {
        await _vaults.CreateAsync();
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1, 2, 3]);
        foreach (string segment in TwinnedVault.Names(_vaults.Source.Objects, StoredKind.Segment))
        {
            _vaults.Source.Objects.Remove(segment);
        }

        Assert.Equal(1, (await _vaults.CopyAsync()).PointsCopied);
        await _vaults.AssertHoldsAsync(_vaults.Twin, point);
    }

    [Fact]
    public async Task A_full_twin_says_so_and_the_next_copy_goes_on()
    {
        await _vaults.CreateAsync();
        RecoveryPoint[] points = [await _vaults.Source.BackUpAsync([1, 2]), await _vaults.Source.BackUpAsync([5, 6])];
        var full = new FullVaultStore(_vaults.Twin, room: 400_000);

        Assert.Equal(BackupErrorId.VaultFull, (await Assert.ThrowsAsync<BackupException>(() => _vaults.CopyAsync(to: full))).Id);
        await _vaults.AssertHoldsAsync(_vaults.Twin, [.. points.Where(point => _vaults.Twin.Names.Any(name => name.Contains("points/", StringComparison.Ordinal) && name.EndsWith($"{point.SessionId}", StringComparison.Ordinal)))]);

        await _vaults.CopyAsync();
        await _vaults.AssertHoldsAsync(_vaults.Twin, points);
    }

    [Fact]
    public async Task Keys_are_rotated_in_each_place_for_itself()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2]);
        await _vaults.CopyAsync();
        using (UnlockedVault vault = await _vaults.Source.Backups.OpenAsync())
        {
            await vault.RotateKeyAsync(CurrentPassphrase, Cancel);
        }

        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3]);
        await _vaults.CopyAsync();
        await _vaults.AssertHoldsAsync(_vaults.Twin, first, second);

        MemoryVaultStore third = await _vaults.CreateTwinAsync(_vaults.Source.Objects);
        await _vaults.CopyAsync(_vaults.Twin, third);
        await _vaults.AssertHoldsAsync(third, first, second);
    }

    [Fact]
    public async Task Twins_have_caches_of_their_own()
    {
        using var vaults = new TwinnedVault(hasIndexCache: true);
        await vaults.CreateAsync();
        RecoveryPoint point = await vaults.Source.BackUpAsync([1, 2, 3]);
        await vaults.CopyAsync();
        Assert.True((await OpenAgainAsync(vaults, vaults.Source.Objects)).IsIndexCached);
        Assert.True((await OpenAgainAsync(vaults, vaults.Twin)).IsIndexCached);

        // The other one has put nothing in its place.
        Assert.True((await vaults.OpenStoreAsync(vaults.Source.Objects)).IsIndexCached);
        Assert.True((await vaults.OpenStoreAsync(vaults.Twin)).IsIndexCached);
        await vaults.AssertHoldsAsync(vaults.Source.Objects, point);
        await vaults.AssertHoldsAsync(vaults.Twin, point);

        static async Task<ChunkStore> OpenAgainAsync(TwinnedVault vaults, MemoryVaultStore place)
        {
            await vaults.OpenStoreAsync(place);
            return await vaults.OpenStoreAsync(place);
        }
    }

    // Flips a bit in the first chunk of a file; returns the pack.
    private async Task<string> DamageAsync(RecoveryPoint point, string path)
    {
        ChunkStore store = await _vaults.OpenStoreAsync(_vaults.Source.Objects);
        RecoverableItem item = await (await _vaults.Source.OpenAsync()).ListItemsAsync(point, null, recursive: true, Cancel).FirstAsync(item => item.FullPath == path, Cancel);
        Assert.True(store.Index.TryFind(item.Entry.Content.Slices.First(slice => slice.Chunk is not null).Chunk!.Value, out ChunkLocation place));
        string pack = store.NameOf(place.Pack);
        _vaults.Source.Objects.FlipBit(pack, place.Chunk.Offset + 3);
        return pack;
    }

    private async Task<Dictionary<ChunkId, PackedChunk>> ReadChunksAsync(MemoryVaultStore place) =>
        (await TestStores.ReadFootersAsync(await _vaults.OpenStoreAsync(place))).Select(found => found.Chunk).DistinctBy(chunk => chunk.Id).ToDictionary(chunk => chunk.Id);

    private string CurrentPassphrase => _vaults.Source.Backups.CurrentPassphrase;
}
