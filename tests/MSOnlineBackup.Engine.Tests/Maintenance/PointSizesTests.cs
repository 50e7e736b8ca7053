using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>How many bytes go with recovery points, compared with what does go.</summary>
public sealed class PointSizesTests
{
    [Fact]
    public async Task Of_each_point_counts_what_it_alone_needs_and_of_all_what_they_share_too()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint first = await vault.BackUpAsync([1, 2, 3, 9]);
        RecoveryPoint second = await vault.BackUpAsync([2, 3, 4, 9]);
        RecoveryPoint third = await vault.BackUpAsync([3, 5, 9]);
        await vault.BackUpAsync([9], machine: "other");

        PointSizes one = await MeasureAsync(vault, first);
        PointSizes two = await MeasureAsync(vault, first, second);
        PointSizes three = await MeasureAsync(vault, third, first, second);

        Assert.Equal(one.Alone[first.SessionId], one.Together);
        Assert.Equal([first.SessionId, second.SessionId], two.Alone.Keys.Order());
        Assert.Equal(one.Alone[first.SessionId], two.Alone[first.SessionId]);
        Assert.InRange(two.Together, two.Alone.Values.Sum() + Stored(2) - 1000, two.Alone.Values.Sum() + Stored(2) + 10_000);
        Assert.InRange(three.Together, three.Alone.Values.Sum() + Stored(2) + Stored(3) - 1000, three.Alone.Values.Sum() + Stored(2) + Stored(3) + 20_000);
        Assert.InRange(two.Alone[first.SessionId], Stored(1), Stored(1) + 10_000);
        Assert.InRange(three.Alone[third.SessionId], Stored(5), Stored(5) + 10_000);
    }

    [Fact]
    public async Task A_point_that_shares_all_with_one_that_stays_frees_only_what_lists_it_if_that()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint first = await vault.BackUpAsync([1, 2]);
        RecoveryPoint second = await vault.BackUpAsync([1, 2]);
        await vault.BackUpAsync([1, 2, 3]);

        PointSizes sizes = await MeasureAsync(vault, first, second);

        Assert.All(sizes.Alone.Values, bytes => Assert.Equal(0, bytes));
        Assert.InRange(sizes.Together, 1, 5_000);
    }

    [Fact]
    public async Task What_is_measured_is_what_collection_frees()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint[] going =
            [await vault.BackUpAsync([1, 2, 3, 4, 5]), await vault.BackUpAsync([4, 5, 6]), await vault.BackUpAsync([6, 7], machine: "other")];
        await vault.BackUpAsync([2, 8]);
        PointSizes sizes = await MeasureAsync(vault, going);
        long before = await NeededAsync(vault);

        foreach (RecoveryPoint point in going)
        {
            await vault.DropAsync(point);
        }

        await vault.MaintainAsync(new MaintenanceRequest { MaxUnused = 0 });
        await vault.MaintainAsync(new MaintenanceRequest { MaxUnused = 0 });
        Assert.Equal(sizes.Together, before - await NeededAsync(vault));
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task Points_that_were_deleted_before_keep_nothing_and_one_that_is_in_no_list_has_no_size()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint deleted = await vault.BackUpAsync([1, 2]);
        RecoveryPoint going = await vault.BackUpAsync([1, 3]);
        await vault.BackUpAsync([3]);
        Assert.InRange((await MeasureAsync(vault, going)).Together, 1, Stored(1) - 1);

        await vault.DeleteAsync(deleted);

        PointSizes sizes = await MeasureAsync(vault, going, deleted);
        Assert.Equal(going.SessionId, Assert.Single(sizes.Alone).Key);
        Assert.InRange(sizes.Together, Stored(1), Stored(1) + 10_000);
    }

    [Fact]
    public async Task Where_something_cannot_be_read_nothing_is_said()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint going = await vault.BackUpAsync([1, 2]);
        await vault.BackUpAsync([1]);
        vault.Objects.FlipBit(vault.Names(StoredKind.Point)[^1], 200);

        BackupException e = await Assert.ThrowsAsync<BackupException>(() => MeasureAsync(vault, going));

        Assert.True(e.IsDamage);
    }

    [Fact]
    public void A_chunk_that_the_index_lacks_is_looked_into_whoever_asks()
    {
        var holders = new ChunkHolders(new ChunkIndex(epoch => epoch == 0).Consolidate());

        Assert.True(holders.Hold(default, 1));
        Assert.True(holders.Hold(default, 1));
        Assert.Empty(holders.Measure());
    }

    private static async Task<PointSizes> MeasureAsync(MaintainedVault vault, params RecoveryPoint[] points)
    {
        IndexedVault indexed = await vault.OpenAsync();
        using UnlockedVault unlocked = indexed.Vault;
        return await unlocked.MeasureAsync([.. points.Select(point => point.SessionId)], Cancel);
    }

    // Random bytes do not compress; of a file that is cut some bytes a chunk are added.
    private static long Stored(int content) => MaintainedVault.Content(content).Length;

    private static async Task<long> NeededAsync(MaintainedVault vault)
    {
        IndexedVault indexed = await vault.OpenAsync();
        using UnlockedVault unlocked = indexed.Vault;
        Dictionary<ChunkId, long> sizes = indexed.Store.Index.All().DistinctBy(location => location.Chunk.Id)
            .ToDictionary(location => location.Chunk.Id, location => (long)location.Chunk.StoredLength);
        return sizes.Values.Sum();
    }
}
