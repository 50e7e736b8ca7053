using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Named streams in a backup: short ones stand in their entry, long ones are cut, stored and carried over as the contents of files are.</summary>
public sealed class LongStreamTests : IDisposable
{
    private static readonly byte[] _five = TestKeys.Bytes(700, 5 << 20);

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_long_stream_is_cut_like_a_file_and_shares_its_chunks()
    {
        FakeSourceTree tree = Script();
        tree.File("same", _five);

        BackupResult result = await BackUpAsync(tree);

        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(_five, await ReadAsync(entries["/data/item"], "long"));
        Assert.Equal("short"u8.ToArray(), Inline(entries["/data/item"], "short"));
        Assert.Equal(
            entries["/data/same"].Content.Slices.Select(slice => slice.Chunk), (await SlicesAsync(entries["/data/item"], "long")).Select(slice => slice.Chunk));
        await _backups.AssertNothingStoredTwiceAsync();
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("empty")]
    [InlineData("small")]
    [InlineData("large")]
    public async Task Holes_of_a_stream_are_kept_as_holes_whatever_has_it(string path)
    {
        FakeSourceTree tree = Script();
        var sparse = new FakeStream("sparse", 200L << 20, (1 << 20, TestKeys.Bytes(701, 300_000)), (150 << 20, [1, 2, 3]));
        tree[path].With(sparse);

        BackupResult result = await BackUpAsync(tree);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))[$"/data/{path}"];
        ItemContent stream = entry.LongStreams.Single(one => EntryName.Escape(one.Name.Span) == "sparse");
        Assert.Equal(200L << 20, stream.Length);
        List<ContentSlice> slices = await SlicesAsync(entry, "sparse");
        Assert.Equal([1L << 20, (149L << 20) - 300_000, (50L << 20) - 3], slices.Where(slice => slice.Chunk is null).Select(slice => slice.Length));
        Assert.Equal(300_003, slices.Where(slice => slice.Chunk is not null).Sum(slice => slice.Length));
        Assert.Equal(300_003, sparse.ReadBytes);
        Assert.Equal(tree[path].Entry.Size, entry.Size);
    }

    [Fact]
    public async Task A_stream_of_a_tebibyte_costs_no_more_than_what_it_holds_and_is_read_in_pieces()
    {
        FakeSourceTree tree = Script();
        int longest = 0;
        var huge = new FakeStream("huge", 1L << 40, (0, _five), ((1L << 40) - 10, new byte[10])) { ReadingInto = length => longest = Math.Max(longest, length) };
        tree["item"].With(huge);

        BackupResult result = await BackUpAsync(tree);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/item"];
        Assert.Equal(1L << 40, (await SlicesAsync(entry, "huge")).Sum(slice => slice.Length));
        Assert.InRange(longest, 1, 256 << 10);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task Streams_stand_in_the_entry_up_to_a_mebibyte_while_it_has_room()
    {
        FakeSourceTree tree = Script();
        byte[] mebibyte = TestKeys.Bytes(702, 1 << 20);
        tree["small"].With(new FakeStream("a", mebibyte)).With(new FakeStream("b", mebibyte)).With(new FakeStream("c", mebibyte[..1000])).With(new FakeStream("d", [.. mebibyte, 1]));

        BackupResult result = await BackUpAsync(tree);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/small"];
        Assert.Equal(mebibyte, Inline(entry, "a"));
        Assert.Equal(mebibyte, await ReadAsync(entry, "b"));
        Assert.Equal(mebibyte[..1000], Inline(entry, "c"));
        Assert.Equal([.. mebibyte, 1], await ReadAsync(entry, "d"));
        Assert.Equal(["b", "d"], entry.LongStreams.Select(stream => EntryName.Escape(stream.Name.Span)));
        Assert.Equal(entry.Attributes.OrderBy(attribute => attribute.Tag).Select(attribute => attribute.Tag), entry.Attributes.Select(attribute => attribute.Tag));
    }

    [Fact]
    public async Task An_unchanged_item_is_taken_over_with_its_streams_and_nothing_of_it_is_read()
    {
        BackupResult first = await BackUpAsync(Script());
        FakeSourceTree again = Script();
        long stored = _backups.Packs.Count;

        BackupResult second = await BackUpAsync(again);

        Assert.Empty(again.Opened);
        Assert.Empty(again["item"].OpenedStreams);
        Assert.Equal(first.Point.Sources[0].Manifest, second.Point.Sources[0].Manifest);
        Assert.Equal(_five, await ReadAsync((await _backups.EntriesAsync(second.Point))["/data/item"], "long"));
        Assert.Equal(stored, _backups.Packs.Count);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("folder")]
    [InlineData("empty")]
    public async Task A_changed_stream_of_an_item_that_is_the_same_otherwise_is_noticed(string path)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("s", _five));
        await BackUpAsync(tree);
        FakeSourceTree changed = Script(path, state: 2);
        byte[] now = [.. _five[..3_000_000], 99, .. _five[3_000_001..]];
        changed[path].With(new FakeStream("s", now));

        BackupResult result = await BackUpAsync(changed);

        Assert.Contains("s", changed[path].OpenedStreams);
        Assert.Equal(now, await ReadAsync((await _backups.EntriesAsync(result.Point))[$"/data/{path}"], "s"));
        Assert.InRange(result.Point.NewBytes, 1, 4 << 20);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("folder")]
    public async Task What_the_vault_has_lost_of_a_stream_alone_is_read_and_stored_again(string path)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("s", TestKeys.Bytes(703, 3 << 20)));
        BackupResult first = await BackUpAsync(tree);
        ManifestEntry entry = (await _backups.EntriesAsync(first.Point))[$"/data/{path}"];
        _backups.Objects.Remove(await PackOfAsync((await SlicesAsync(entry, "s"))[0].Chunk!.Value));

        BackupResult healed = await BackUpAsync(tree);

        Assert.Equal(TestKeys.Bytes(703, 3 << 20), await ReadAsync((await _backups.EntriesAsync(healed.Point))[$"/data/{path}"], "s"));
    }

    [Theory]
    [InlineData("item")]
    [InlineData("folder")]
    public async Task A_damage_of_a_stream_alone_that_a_backup_meets_is_healed_in_a_second_pass(string path)
    {
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("").Folder("folder").File("item", [1, 2, 3]);
        tree[path].With(new FakeStream("s", TestKeys.Bytes(703, 3 << 20)));
        BackupResult first = await BackUpAsync(tree);
        ChunkId chunk = (await SlicesAsync((await _backups.EntriesAsync(first.Point))[$"/data/{path}"], "s"))[0].Chunk!.Value;
        ChunkStore store = await _backups.OpenStoreAsync();
        Assert.True(store.Index.TryFind(chunk, out ChunkLocation location));
        _backups.Objects.FlipBit(store.NameOf(location.Pack), location.Chunk.Offset + 5);

        // Of a store this small everything is opened.
        BackupResult healed = await BackUpAsync(tree);

        Assert.Equal(TestKeys.Bytes(703, 3 << 20), await ReadAsync((await _backups.EntriesAsync(healed.Point))[$"/data/{path}"], "s"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_that_cannot_be_read_leaves_the_earlier_version_and_nothing_to_the_next_item(bool opens)
    {
        BackupResult first = await BackUpAsync(Script());
        FakeSourceTree tree = Script("item", state: 2);
        FakeStream failing = tree["item"].Streams[1];
        if (opens)
        {
            failing.Reading = at => _ = at > 2_000_000 ? throw FakeSourceTree.Unreadable("/data/item") : 0;
        }
        else
        {
            failing.Refuses = FakeSourceTree.Unreadable("/data/item");
        }

        tree.File("item2", [1, 2, 3]);

        BackupResult second = await BackUpAsync(tree);

        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, second.Point.Status);
        Assert.Equal(["/data/item"], (await _backups.SkippedAsync(second.Point)).Select(item => item.Path));
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(second.Point);
        Assert.Equal(EntryFlags.KeptFromEarlier, entries["/data/item"].Flags);
        Assert.Equal(_five, await ReadAsync(entries["/data/item"], "long"));
        Assert.Empty(entries["/data/item2"].Attributes);
        Assert.Equal([1, 2, 3], await _backups.ReadAsync(second.Point, "/data/item2"));
        Assert.Equal((await _backups.EntriesAsync(first.Point))["/data/item"].Attributes.Select(one => one.Tag), entries["/data/item"].Attributes.Select(one => one.Tag));
    }

    [Theory]
    [InlineData("item", true)]
    [InlineData("folder", false)]
    public async Task An_item_whose_content_fails_after_its_streams_gives_these_to_nobody(string path, bool isFile)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("s", _five));
        tree.File($"{path}2", [1, 2, 3]);
        if (isFile)
        {
            tree[path].RefusesOpen = FakeSourceTree.Unreadable($"/data/{path}");
        }

        BackupResult result = await BackUpAsync(tree);

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(isFile ? EntryFlags.Unreadable : EntryFlags.None, entries[$"/data/{path}"].Flags);
        Assert.Empty(entries[$"/data/{path}2"].Attributes);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("folder")]
    [InlineData("empty")]
    public async Task A_stream_that_changes_while_it_is_read_is_said_to_and_is_read_again(string path)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("s", _five) { SizeAfterwards = _five.Length + 5 });

        BackupResult first = await BackUpAsync(tree);

        SkippedItem told = Assert.Single(await _backups.SkippedAsync(first.Point));
        Assert.Equal(($"/data/{path}", BackupErrorId.SourceItemChanged), (told.Path, told.Id));
        Assert.Contains("'s'", told.Reason, StringComparison.Ordinal);
        Assert.Equal(EntryFlags.ChangedWhileRead, (await _backups.EntriesAsync(first.Point))[$"/data/{path}"].Flags);
        FakeSourceTree again = Script();
        again[path].With(new FakeStream("s", _five));
        BackupResult second = await BackUpAsync(again);
        Assert.Contains("s", again[path].OpenedStreams);
        Assert.Equal(EntryFlags.None, (await _backups.EntriesAsync(second.Point))[$"/data/{path}"].Flags);
    }

    [Fact]
    public async Task A_stream_that_has_become_empty_is_kept_as_an_empty_one()
    {
        FakeSourceTree tree = Script();
        tree["small"].With(new FakeStream("s", 5 << 20) { SizeAfterwards = 0 });

        BackupResult result = await BackUpAsync(tree);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/small"];
        Assert.Empty(Inline(entry, "s"));
        Assert.Equal(EntryFlags.ChangedWhileRead, entry.Flags);
    }

    [Fact]
    public async Task Each_name_of_a_file_has_the_streams()
    {
        FakeSourceTree tree = Script();
        foreach (string name in new[] { "one", "other" })
        {
            var metadata = new EntryMetadata { Modified = new(0, 1), Changed = new(0, 1), FileId = 77, DeviceId = 1, LinkCount = 2 };
            tree.Put(name, Platform.Items.EntryKind.File, metadata, TestKeys.Bytes(1, 1000), []);
            tree[name].With(new FakeStream("s", _five));
        }

        BackupResult result = await BackUpAsync(tree);

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(_five, await ReadAsync(entries["/data/one"], "s"));
        Assert.Equal(_five, await ReadAsync(entries["/data/other"], "s"));
        Assert.Equal(["one"], tree.Opened.Where(path => path is "one" or "other"));
        await _backups.AssertNothingStoredTwiceAsync();
    }

    [Fact]
    public async Task After_a_stop_within_a_stream_the_next_run_stores_nothing_twice()
    {
        byte[] content = TestKeys.Bytes(704, 24 << 20);
        FakeSourceTree tree = Script();
        using var stop = new CancellationTokenSource();
        tree["item"].With(new FakeStream("s", content)
        {
            Reading = at =>
            {
                if (at > 18 << 20)
                {
                    stop.Cancel();
                }
            },
        });
        _backups.Fakes["/data"] = tree;
        UnlockedVault vault = await _backups.OpenAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => vault.BackUpAsync(_backups.Job("/data"), new JobMonitor(), stop.Token).WaitAsync(TestStores.HangGuard, Cancel));
        FakeSourceTree again = Script();
        again["item"].With(new FakeStream("s", content));

        BackupResult result = await BackUpAsync(again);

        Assert.NotNull(result.ResumedFromSession);
        await _backups.AssertNothingStoredTwiceAsync();
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(content, await ReadAsync(entries["/data/item"], "s"));
        Assert.Equal(TestKeys.Bytes(12, 100), await _backups.ReadAsync(result.Point, "/data/item"));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task An_attribute_that_can_be_read_again_costs_no_stream()
    {
        FakeSourceTree tree = Script();
        tree["item"].Attributes = [new EntryAttribute(AttributeTag.Unread, "user.x"u8.ToArray(), default)];
        tree["item"].Faults.Add(new BackupException(BackupErrorId.SourceAttributeUnreadable, "It is locked.", "None: a test."));
        await BackUpAsync(tree);
        FakeSourceTree again = Script();
        again["item"].Attributes = [new EntryAttribute(AttributeTag.ExtendedAttribute, "user.x"u8.ToArray(), new byte[1])];

        BackupResult result = await BackUpAsync(again);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/item"];
        Assert.DoesNotContain("long", again["item"].OpenedStreams);
        Assert.True(entry.HasAttribute(AttributeTag.ExtendedAttribute));
        Assert.False(entry.HasAttribute(AttributeTag.Unread));
        Assert.Equal(_five, await ReadAsync(entry, "long"));
    }

    [Fact]
    public async Task A_stream_that_was_an_unread_attribute_is_read_when_it_can_be()
    {
        FakeSourceTree tree = Script();
        tree["small"].Attributes = [new EntryAttribute(AttributeTag.Unread, "s"u8.ToArray(), default)];
        await BackUpAsync(tree);
        FakeSourceTree again = Script();
        again["small"].With(new FakeStream("s", _five));

        BackupResult result = await BackUpAsync(again);

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/small"];
        Assert.Equal(_five, await ReadAsync(entry, "s"));
        Assert.False(entry.HasAttribute(AttributeTag.Unread));
    }

    [Fact]
    public async Task What_changed_just_before_its_stream_was_read_is_read_again()
    {
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));
        FakeSourceTree tree = Script();
        var now = Platform.Items.ItemTime.From(_backups.Clock.GetUtcNow().AddMinutes(1));
        tree.Put("new", Platform.Items.EntryKind.Directory, new EntryMetadata { Modified = now, Changed = now }, [], []);
        tree["new"].With(new FakeStream("s", _five));

        BackupResult result = await BackUpAsync(tree);

        Assert.Equal(EntryFlags.Racy, (await _backups.EntriesAsync(result.Point))["/data/new"].Flags);
        tree["new"].OpenedStreams.Clear();
        await BackUpAsync(tree);
        Assert.Equal(["s"], tree["new"].OpenedStreams);
    }

    private static FakeSourceTree Script(string changed = "", int state = 1)
    {
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("").Folder("folder", Of("folder")).File("empty", [], Of("empty"))
            .File("item", TestKeys.Bytes(12, 100), Of("item")).File("large", TestKeys.Bytes(13, 600_000)).File("small", TestKeys.Bytes(14, 3000));
        tree["item"].With(new FakeStream("short", "short"u8.ToArray())).With(new FakeStream("long", _five));
        return tree;

        int Of(string path) => path == changed ? state : 1;
    }

    private static byte[] Inline(ManifestEntry entry, string name) =>
        entry.Attributes.Single(attribute => attribute.Tag == AttributeTag.NamedStream && EntryName.Escape(attribute.Name.Span) == name).Value.ToArray();

    private async Task<BackupResult> BackUpAsync(FakeSourceTree tree)
    {
        _backups.Fakes["/data"] = tree;
        return await _backups.BackUpAsync(Request("/data"));
    }

    private async Task<List<ContentSlice>> SlicesAsync(ManifestEntry entry, string name)
    {
        ItemContent stream = entry.LongStreams.Single(one => EntryName.Escape(one.Name.Span) == name);
        return await new EntryContentReader(await _backups.OpenStoreAsync()).ReadAsync(stream.Content, Cancel).ToListAsync(Cancel);
    }

    private async Task<byte[]> ReadAsync(ManifestEntry entry, string name)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        var content = new MemoryStream();
        foreach (ContentSlice slice in await SlicesAsync(entry, name))
        {
            content.Write(slice.Chunk is { } chunk
                ? (await store.ReadAsync(ChunkKind.Content, chunk, Cancel)).Span.Slice(slice.Offset, (int)slice.Length)
                : new byte[slice.Length]);
        }

        return content.ToArray();
    }

    private async Task<string> PackOfAsync(ChunkId chunk)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        Assert.True(store.Index.TryFind(chunk, out ChunkLocation location));
        return store.NameOf(location.Pack);
    }
}
