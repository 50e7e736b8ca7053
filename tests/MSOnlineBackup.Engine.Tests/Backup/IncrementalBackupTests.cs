using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

public sealed class IncrementalBackupTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Where_nothing_changed_nothing_is_read_and_only_a_point_is_added()
    {
        _backups.Tree.Populate(seed: 1, items: 80).Describe("f large 3M");
        BackupResult first = await _backups.BackUpAsync();
        string[] before = [.. _backups.Objects.Names];

        BackupResult second = await _backups.BackUpAsync();

        Assert.Equal((0, 0, 0), (second.ReadBytes, second.NewFiles, second.ChangedFiles));
        Assert.Equal(first.Point.Sources[0].Manifest, second.Point.Sources[0].Manifest);
        Assert.Equal(["commits", "points", "sessions"], _backups.Objects.Names.Except(before).Select(name => name.Split('/')[2]).Order());
        Assert.Equal(first.Point.SessionId, second.Point.ParentSessionId);
    }

    [Fact]
    public async Task Only_what_changed_is_read_and_what_was_deleted_is_gone()
    {
        _backups.Tree.Describe("""
            f same 10K
            f same-large 1M
            f changed 10K
            f changed-large 3M
            f deleted 10K
            d folder
            f folder/old 200K
            """);
        BackupResult first = await _backups.BackUpAsync();
        _backups.Tree.File("changed", 11_000, seed: 1).File("changed-large", 2_000_000, seed: 1).File("new", 7).Delete("deleted");
        Directory.Move(Path.Combine(_backups.Root, "folder"), Path.Combine(_backups.Root, "renamed"));

        BackupResult second = await _backups.BackUpAsync();

        Assert.Equal((2, 2), (second.NewFiles, second.ChangedFiles));
        Assert.Equal((200 << 10) + 11_000 + 2_000_000 + 7, second.ReadBytes);
        Assert.Equal(11_000 + 2_000_000 + 7, second.Point.NewBytes);
        await AssertHoldsTheTreeAsync(second.Point);
        Assert.Contains($"{_backups.Root}/deleted", (await _backups.EntriesAsync(first.Point)).Keys);
        await _backups.AssertNothingStoredTwiceAsync();
    }

    [Fact]
    public async Task Random_edits_are_followed()
    {
        _backups.Tree.Populate(seed: 3, items: 60);
        await _backups.BackUpAsync();
        for (int seed = 0; seed < 3; seed++)
        {
            _backups.Tree.Edit(seed, edits: 15);
            await AssertHoldsTheTreeAsync((await _backups.BackUpAsync()).Point);
        }

        Assert.Empty((await _backups.VerifyAsync()).Findings);
        await _backups.AssertNothingStoredTwiceAsync();
    }

    [Fact]
    public async Task A_file_with_several_names_is_read_and_stored_once()
    {
        _backups.Tree.Describe("f a 1M\nh b = a\nh z/c = a\nf s 1000\nh t = s");
        BackupResult first = await _backups.BackUpAsync();

        Assert.Equal((1 << 20) + 1000, first.ReadBytes);
        Assert.Equal((1 << 20) + 1000, first.Point.NewBytes);
        await AssertHoldsTheTreeAsync(first.Point);
        Assert.Equal(0, (await _backups.BackUpAsync()).ReadBytes);
    }

    [Fact]
    public async Task Holes_are_neither_read_nor_stored()
    {
        _backups.Tree.Describe("s sparse 4G 64K@1G 4K@3G\ns empty 1G");
        BackupResult result = await _backups.BackUpAsync();

        Assert.InRange(result.ReadBytes, 68 << 10, 1 << 20);
        Assert.InRange(result.Point.StoredBytes, 1, 200_000);
        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))[$"{_backups.Root}/sparse"];
        Assert.Equal(4L << 30, entry.Size);
        Assert.Equal(4L << 30, entry.Content.Slices.Sum(slice => slice.Length));
        Assert.True(entry.Content.Slices.Where(slice => slice.Chunk is null).Sum(slice => slice.Length) > (4L << 30) - (1 << 20));
    }

    [Fact]
    public async Task A_file_that_changed_just_before_it_was_read_is_read_again_next_time()
    {
        _backups.Tree.File("fresh", 1000).HardLink("other name", "fresh");
        _backups.Clock.JumpTo(TimeProvider.System.GetUtcNow().AddMinutes(-1));
        BackupResult first = await _backups.BackUpAsync();
        Assert.Equal(EntryFlags.Racy, (await _backups.EntriesAsync(first.Point))[$"{_backups.Root}/fresh"].Flags);
        Assert.Equal(EntryFlags.Racy, (await _backups.EntriesAsync(first.Point))[$"{_backups.Root}/other name"].Flags);
        _backups.Clock.JumpTo(TimeProvider.System.GetUtcNow().AddDays(1));

        Assert.Equal(1000, (await _backups.BackUpAsync()).ReadBytes);
        Assert.Equal(0, (await _backups.BackUpAsync()).ReadBytes);
    }

    [Fact]
    public async Task On_request_everything_is_read_again_and_nothing_stored_again()
    {
        _backups.Tree.Describe("f a 1M\nf b 1000");
        await _backups.BackUpAsync();

        BackupResult again = await _backups.BackUpAsync(BackupFixture.Request(_backups.Root) with { ReadEverything = true });

        Assert.Equal((1 << 20) + 1000, again.ReadBytes);
        Assert.Equal(0, again.Point.NewBytes);
    }

    [Fact]
    public async Task What_the_vault_has_lost_is_read_again_and_stored_anew()
    {
        _backups.Tree.Describe("f a 3M\nf b 1000\nf c 1M");
        BackupResult first = await _backups.BackUpAsync();
        byte[] content = await _backups.ReadAsync(first.Point, $"{_backups.Root}/a");
        foreach (string pack in _backups.Packs)
        {
            _backups.Objects.Remove(pack);
        }

        BackupResult healed = await _backups.BackUpAsync();

        Assert.Equal((4 << 20) + 1000, healed.ReadBytes);
        Assert.Equal(content, await _backups.ReadAsync(healed.Point, $"{_backups.Root}/a"));
        Assert.Equal(content, await _backups.ReadAsync(first.Point, $"{_backups.Root}/a"));
    }

    [Fact]
    public async Task Machines_do_not_inherit_from_each_other_but_share_what_is_stored()
    {
        _backups.Tree.Describe("f a 1M");
        await _backups.BackUpAsync();

        BackupResult other = await _backups.BackUpAsync(BackupFixture.Request(_backups.Root) with { MachineName = "Other" });

        Assert.Equal((1 << 20, 0L), (other.ReadBytes, other.Point.NewBytes));
        Assert.Null(other.Point.ParentSessionId);
    }

    [Fact]
    public async Task A_file_with_slices_by_the_thousand_is_carried_over_unread()
    {
        // 700 runs of data: more than an entry holds, so they go into lists.
        _backups.Tree.Sparse("runs", 700L << 16, [.. Enumerable.Range(0, 700).Select(i => ((long)i << 16, 4096L))]);
        BackupResult first = await _backups.BackUpAsync();
        Assert.NotEmpty((await _backups.EntriesAsync(first.Point))[$"{_backups.Root}/runs"].Content.Lists);
        await AssertHoldsTheTreeAsync(first.Point);

        Assert.Equal(0, (await _backups.BackUpAsync()).ReadBytes);
    }

    private async Task AssertHoldsTheTreeAsync(RecoveryPoint point)
    {
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(point);
        int seen = 0;
        await Check([]);
        Assert.Equal(seen, entries.Count);

        async Task Check(byte[] below)
        {
            byte[] full = UnixFile.Join(UnixFile.Raw(_backups.Root), below);
            UnixFileState state = UnixFile.Stat(full);
            string path = EntryName.Escape(full);
            Assert.True(entries.TryGetValue(path, out ManifestEntry? entry), path);
            Assert.Equal((state.Mode, state.Modified), (entry.Metadata.Mode, entry.Metadata.Modified));
            seen++;
            if (state.Kind == UnixFileKind.File)
            {
                using var expected = new MemoryStream();
                using (FileStream file = UnixFile.Open(full, FileAccess.Read))
                {
                    await file.CopyToAsync(expected, BackupFixture.Cancel);
                }

                byte[] stored = await _backups.ReadAsync(point, path);
                Assert.True(stored.AsSpan().SequenceEqual(expected.ToArray()), path);
            }
            else if (state.Kind == UnixFileKind.Directory)
            {
                foreach (byte[] name in UnixFile.List(full))
                {
                    await Check(below.Length == 0 ? name : UnixFile.Join(below, name));
                }
            }
        }
    }
}
