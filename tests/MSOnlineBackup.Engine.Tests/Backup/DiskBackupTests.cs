using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Trees that callers put together, and the disks in them.</summary>
public sealed class DiskBackupTests : IDisposable
{
    private const int Block = DiskGrid.SmallBlockBytes;
    private const string DiskPath = "vm1/disks/vda.raw";

    private static readonly byte[] _description = "{\"name\":\"vm1\"}"u8.ToArray();

    private readonly BackupFixture _backups = new();
    private readonly List<string> _notes = [];

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_composed_tree_is_an_ordinary_point()
    {
        FakeDisk disk = new FakeDisk((5 * Block) + 1000).Write(Block + 17, TestKeys.Bytes(1, 2 * Block)).Write(5 * Block, TestKeys.Bytes(2, 1000));

        BackupResult result = await BackUpAsync(disk);

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(["vm1", "vm1/disks", DiskPath, "vm1/machine.json"], entries.Keys);
        Assert.Equal([EntryKind.Directory, EntryKind.Directory, EntryKind.File, EntryKind.File], entries.Values.Select(entry => entry.Kind));
        Assert.Equal(_description, await _backups.ReadAsync(result.Point, "vm1/machine.json"));
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        Assert.Equal("vm1", result.Point.Sources[0].ShownPath);
        Assert.Equal(ConsistencyLevel.Application, result.Point.Consistency!.Level);
        using var folder = new TempFolder();
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            await vault.RestoreAsync(new RestoreRequest { Point = result.Point, TargetFolder = folder.Path, Verify = true }, new JobMonitor(), Cancel);
        }

        Assert.Equal(_description, await File.ReadAllBytesAsync(folder["vm1", "machine.json"], Cancel));
        Assert.Equal(disk.ToArray(), await File.ReadAllBytesAsync(folder["vm1", "disks", "vda.raw"], Cancel));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task Blocks_of_zeroes_are_holes_which_merge_even_where_the_disk_does_not_know()
    {
        FakeDisk disk = new FakeDisk(8 * Block).Write(2 * Block, new byte[Block]).Write(3 * Block, TestKeys.Bytes(1, 1)).Write(7 * Block, new byte[Block]);
        disk.KnowsNoHoles = true;

        BackupResult result = await BackUpAsync(disk);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))[DiskPath];
        Assert.Equal([(true, 3L * Block), (false, Block), (true, 4L * Block)], entry.Content.Slices.Select(slice => (slice.Chunk is null, slice.Length)));
        Assert.Equal(8 * Block, disk.ReadBytes);
    }

    [Fact]
    public void Every_point_of_a_disk_that_is_written_to_is_exact_and_only_blocks_that_changed_are_read() =>
        Prop.ForAll<int>(async seed => await WriteAndBackUpAsync(seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(Testing.Campaign.Rounds(3, 60)));

    [Fact]
    public async Task What_changed_since_another_point_than_the_last_is_not_believed()
    {
        FakeDisk disk = new FakeDisk(20 * Block).Write(0, TestKeys.Bytes(1, 20 * Block));
        BackupResult first = await BackUpAsync(disk);
        disk.Write(3 * Block, TestKeys.Bytes(2, 100)).Begin(first.Point.SessionId);
        await BackUpAsync(disk);
        Assert.Equal(Block, disk.ReadBytes);

        // Nothing was written since the first point, it lies.
        disk.Begin(first.Point.SessionId);
        _notes.Clear();
        BackupResult third = await BackUpAsync(disk);

        Assert.Equal(20 * Block, disk.ReadBytes);
        Assert.Equal(0, third.Point.NewBytes);
        Assert.Contains(first.Point.SessionId.ToString(), Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(third.Point, DiskPath));
    }

    [Fact]
    public async Task A_disk_of_no_earlier_point_is_read_whole_whatever_it_tells()
    {
        var disk = new FakeDisk(4 * Block);
        disk.Write(0, TestKeys.Bytes(1, 4 * Block));
        disk.Changes = new DiskChanges(SessionId.Parse(new string('1', 32)), []);

        BackupResult result = await BackUpAsync(disk);

        Assert.Contains("no recovery point", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
    }

    [Theory]
    [InlineData(2, 1, 1, 1)]
    [InlineData(1, 0, 1, 1)]
    [InlineData(-5, 1, 7, 1)]
    [InlineData(0, 5, 4, 1)]
    public async Task Changes_that_are_in_no_order_are_not_believed(long start, long length, long nextStart, long nextLength)
    {
        FakeDisk disk = new FakeDisk(4 * Block).Write(0, TestKeys.Bytes(1, 4 * Block));
        BackupResult first = await BackUpAsync(disk);
        disk.Begin(null);
        disk.Write(2 * Block, TestKeys.Bytes(3, 9)).Changes = new DiskChanges(first.Point.SessionId, [(start, length), (nextStart, nextLength)]);

        BackupResult result = await BackUpAsync(disk);

        Assert.Contains("order", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
    }

    [Fact]
    public async Task Another_grid_is_read_once_and_kept_then()
    {
        FakeDisk disk = new FakeDisk(12 << 20).Write(0, TestKeys.Bytes(1, 12 << 20));
        BackupResult first = await BackUpAsync(disk);
        disk.Begin(first.Point.SessionId);

        BackupResult second = await BackUpAsync(disk, DiskGrid.BlockBytes);

        Assert.Equal(12 << 20, disk.ReadBytes);
        Assert.Contains("cut into other pieces", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.All((await _backups.EntriesAsync(second.Point))[DiskPath].Content.Slices, slice => Assert.Equal(DiskGrid.BlockBytes, slice.Length));
        disk.Begin(second.Point.SessionId);
        BackupResult third = await BackUpAsync(disk, DiskGrid.BlockBytes);
        Assert.Equal(0, disk.ReadBytes);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(third.Point, DiskPath));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_block_that_the_vault_has_lost_is_read_after_all(bool isGone)
    {
        // More than a pack; or so little that all of it is opened again.
        int blocks = isGone ? 40 : 14;
        FakeDisk disk = new FakeDisk(blocks * Block).Write(0, TestKeys.Bytes(1, blocks * Block));
        BackupResult first = await BackUpAsync(disk);
        string pack = _backups.Packs.First(name => _backups.Objects.GetContent(name)[PackFormat.KindOffset] == (byte)PackKind.Data);
        if (isGone)
        {
            _backups.Objects.Remove(pack);
        }
        else
        {
            _backups.Objects.FlipBit(pack, PackFormat.HeaderLength + 100);
        }

        disk.Begin(first.Point.SessionId);
        BackupResult result = await BackUpAsync(disk);

        Assert.InRange(disk.ReadBytes, Block, (blocks - 1) * Block);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(first.Point, DiskPath));
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, result.Point.Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stopped_backup_goes_on_within_the_disk_where_its_time_is_known_and_else_stores_nothing_twice(bool isTimeKnown)
    {
        DateTimeOffset? time = isTimeKnown ? _backups.Clock.GetUtcNow() - TimeSpan.FromDays(1) : null;
        FakeDisk disk = new FakeDisk(100 * Block).Write(10 * Block, TestKeys.Bytes(1, 90 * Block));
        using var stop = new CancellationTokenSource();
        disk.Reading = offset =>
        {
            if (offset >= 60 * Block)
            {
                stop.Cancel();
            }
        };
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => vault.BackUpAsync(Request(disk, Block, time), new JobMonitor(), stop.Token).WaitAsync(TestStores.HangGuard, Cancel));
        }

        disk.Begin(null);
        disk.Reading = null;
        BackupResult result = await BackUpAsync(disk, Block, time);

        Assert.NotNull(result.ResumedFromSession);
        Assert.Equal(isTimeKnown ? 39 * Block : 90 * Block, disk.ReadBytes);
        await _backups.AssertNothingStoredTwiceAsync();
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
        disk.Begin(null);
        await BackUpAsync(disk, Block, time);
        Assert.Equal(isTimeKnown ? 0 : 90 * Block, disk.ReadBytes);
    }

    [Fact]
    public async Task A_backup_that_is_stopped_in_the_first_hole_begins_again()
    {
        FakeDisk disk = new FakeDisk(20 * Block) { KnowsNoHoles = true }.Write(19 * Block, TestKeys.Bytes(1, 100));
        using var stop = new CancellationTokenSource();
        disk.Reading = _ => stop.Cancel();
        DateTimeOffset time = _backups.Clock.GetUtcNow() - TimeSpan.FromDays(1);
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.BackUpAsync(Request(disk, Block, time), new JobMonitor(), stop.Token));
        }

        disk.Reading = null;
        BackupResult result = await BackUpAsync(disk, Block, time);

        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(result.Point, DiskPath));
    }

    [Fact]
    public async Task Slice_lists_of_which_nothing_changed_are_named_again()
    {
        // 2,400 slices: data and holes take turns.
        var disk = new FakeDisk(2400L * Block);
        for (int i = 0; i < 1200; i++)
        {
            disk.Write(2L * i * Block, TestKeys.Bytes(i, 64));
        }

        BackupResult first = await BackUpAsync(disk);
        IReadOnlyList<SliceListReference> before = (await _backups.EntriesAsync(first.Point))[DiskPath].Content.Lists;
        disk.Begin(first.Point.SessionId);
        disk.Write(2200L * Block, TestKeys.Bytes(9999, 64)).Begin(first.Point.SessionId);

        BackupResult second = await BackUpAsync(disk);

        IReadOnlyList<SliceListReference> after = (await _backups.EntriesAsync(second.Point))[DiskPath].Content.Lists;
        Assert.True(before.Count > 1);
        Assert.Equal(before[0], after[0]);
        Assert.Equal(Block, disk.ReadBytes);
        Assert.Equal(disk.Length, after.Sum(list => list.Length));
        Assert.Equal(0, second.UnchangedFiles);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_read_stays_as_it_was_and_its_changes_are_not_believed_next_time()
    {
        FakeDisk disk = new FakeDisk(4 * Block).Write(0, TestKeys.Bytes(1, 4 * Block));
        BackupResult first = await BackUpAsync(disk);
        disk.Begin(first.Point.SessionId);
        disk.Write(Block, TestKeys.Bytes(2, 5)).Begin(first.Point.SessionId);
        disk.Reading = _ => throw new BackupException(BackupErrorId.SourceItemUnreadable, "The disk is gone.", "Bring it back.");

        BackupResult second = await BackUpAsync(disk);

        Assert.Equal(EntryFlags.KeptFromEarlier, (await _backups.EntriesAsync(second.Point))[DiskPath].Flags);
        Assert.Equal(_description, await _backups.ReadAsync(second.Point, "vm1/machine.json"));
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, second.Point.Status);
        disk.Reading = null;
        disk.Begin(second.Point.SessionId);
        BackupResult third = await BackUpAsync(disk);
        Assert.Equal(4 * Block, disk.ReadBytes);
        Assert.Equal(disk.ToArray(), await _backups.ReadAsync(third.Point, DiskPath));
    }

    [Fact]
    public async Task A_disk_of_32_TiB_costs_what_is_in_it()
    {
        var disk = new FakeDisk(DiskGrid.MostBytes);
        for (int i = 0; i < 40; i++)
        {
            disk.Write(i * (800L << 30), TestKeys.Bytes(i, 100));
        }

        BackupResult first = await BackUpAsync(disk, DiskGrid.BlockBytes);
        disk.Begin(first.Point.SessionId);
        disk.Write(DiskGrid.MostBytes - 1, [1]).Begin(first.Point.SessionId);
        BackupResult second = await BackUpAsync(disk, DiskGrid.BlockBytes);

        Assert.Equal(40 * DiskGrid.BlockBytes, first.ReadBytes - _description.Length);
        Assert.Equal(DiskGrid.BlockBytes, disk.ReadBytes);
        IReadOnlyList<ContentSlice> slices = (await _backups.EntriesAsync(second.Point))[DiskPath].Content.Slices;
        Assert.Equal(disk.Length, slices.Sum(slice => slice.Length));
        Assert.Equal(41, slices.Count(slice => slice.Chunk is not null));
    }

    [Theory]
    [InlineData("a/b", "x")]
    [InlineData("", "x")]
    [InlineData("..", "x")]
    [InlineData("vm", "/x")]
    [InlineData("vm", "a/../x")]
    [InlineData("vm", "x", "x")]
    [InlineData("vm", "x", "x/y")]
    public async Task A_tree_that_no_point_can_hold_is_refused(string name, params string[] paths)
    {
        BackupException refused = await _backups.FailAsync(new BackupRequest
        {
            MachineName = BackupFixture.Machine,
            Sources = [new BackupSource.Composed(name, [.. paths.Select(path => new ComposedFile(path, _description))])],
        });

        Assert.Equal(BackupErrorId.ArgumentInvalid, refused.Id);
        Assert.Empty(_backups.Points);
    }

    [Theory]
    [InlineData(DiskGrid.MostBytes + 1, DiskGrid.BlockBytes)]
    [InlineData(DiskGrid.MostBytesOfSmallBlocks + 1, DiskGrid.SmallBlockBytes)]
    [InlineData(1, 4096)]
    public async Task A_disk_that_is_too_long_for_its_grid_is_refused(long length, int block) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await _backups.FailAsync(Request(new FakeDisk(length), block, null))).Id);

    // Twenty runs: what each point has, and how much was read for it.
    private static async Task WriteAndBackUpAsync(int seed)
    {
        using var test = new DiskBackupTests();
        var random = new Random(seed);
        var disk = new FakeDisk(random.Next(1, 30 * Block)) { KnowsNoHoles = random.Next(2) == 0 };
        var points = new List<(RecoveryPoint Point, byte[] Content)>();
        disk.Write(0, TestKeys.Bytes(seed, (int)disk.Length / 2));
        for (int run = 0; run < 20; run++)
        {
            long before = points.Count == 0 ? 0 : points[^1].Content.Length;
            HashSet<long> touched = [];
            if (random.Next(6) == 0)
            {
                disk.Resize(random.Next(1, 30 * Block));
            }

            for (int writes = random.Next(4); writes > 0; writes--)
            {
                int offset = random.Next((int)disk.Length);
                int count = random.Next(1, Math.Min(2 * Block, (int)disk.Length - offset) + 1);
                disk.Write(offset, random.Next(3) == 0 ? new byte[count] : TestKeys.Bytes(random.Next(), count));
                touched.UnionWith(Enumerable.Range(offset / Block, ((offset + count - 1) / Block) - (offset / Block) + 1).Select(block => (long)block));
            }

            // What was not there before is read, and so is a last block of another length.
            long firstNew = before == disk.Length ? long.MaxValue : Math.Min(before, disk.Length) / Block;
            long blocks = (disk.Length + Block - 1) / Block;
            long most = Enumerable.Range(0, (int)blocks).Where(block => points.Count == 0 || touched.Contains(block) || block >= firstNew)
                .Sum(block => Math.Min(Block, disk.Length - ((long)block * Block)));
            disk.Begin(points.Count == 0 ? null : points[^1].Point.SessionId);

            BackupResult result = await test.BackUpAsync(disk);

            // The rest of a hole is one, however the disk was cut.
            Assert.InRange(disk.ReadBytes, !disk.KnowsNoHoles ? 0 : disk.Length < before ? most - Block : most, most);
            points.Add((result.Point, disk.ToArray()));
        }

        Assert.Empty(test._notes);
        foreach ((RecoveryPoint point, byte[] content) in points)
        {
            byte[] stored = await test._backups.ReadAsync(point, DiskPath);
            Assert.True(stored.AsSpan().SequenceEqual(content), $"seed {seed}, {point.SessionId}");
        }

        Assert.Empty((await test._backups.VerifyAsync()).Findings);
    }

    private async Task<BackupResult> BackUpAsync(FakeDisk disk, int block = Block, DateTimeOffset? modified = null)
    {
        BackupResult result = await _backups.BackUpAsync(Request(disk, block, modified), new JobMonitor { Noted = _notes.Add });
        disk.Commit();
        return result;
    }

    private static BackupRequest Request(FakeDisk disk, int block, DateTimeOffset? modified) => new()
    {
        MachineName = BackupFixture.Machine,
        CheckpointBytes = 4 << 20,
        Sources =
        [
            new BackupSource.Composed("vm1", [new ComposedFile("disks/vda.raw", disk) { BlockBytes = block, Modified = modified }, new ComposedFile("machine.json", _description)])
            {
                Consistency = new SourceConsistency(ConsistencyLevel.Application),
            },
        ],
    };
}
