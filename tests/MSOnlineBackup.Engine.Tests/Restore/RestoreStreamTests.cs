using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Long named streams through a whole life: backed up, kept by maintenance, verified, and restored onto what has streams and what has none.</summary>
public sealed class RestoreStreamTests : IDisposable
{
    private static readonly byte[] _five = TestKeys.Bytes(710, 5 << 20);
    private static readonly byte[] _island = TestKeys.Bytes(711, 700_000);

    private readonly BackupFixture _backups = new();
    private readonly List<SkippedItem> _skipped = [];

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Streams_come_back_whole_with_their_holes(bool verify)
    {
        RecoveryPoint point = await BackUpAsync(Script());
        var target = new MemoryTarget();

        RestoreResult result = await RestoreAsync(point, target, verify: verify);

        Assert.Empty(_skipped);
        Assert.Equal(0, result.Skipped);
        foreach (string path in new[] { "data/folder", "data/empty", "data/item" })
        {
            AssertHas(target, path, "long", _five);
            SparseContent sparse = target[path].Streams["sparse"];
            Assert.Equal((200L << 20, 700_000L), (sparse.Length, sparse.Written));
            AssertRange(sparse, 100 << 20, _island);
        }

        Assert.Equal(TestKeys.Bytes(12, 100), target["data/item"].Content);
    }

    [Fact]
    public async Task Maintenance_keeps_what_only_a_stream_needs_and_deletes_it_with_the_last_point()
    {
        RecoveryPoint first = await BackUpAsync(Script());
        FakeSourceTree changed = Script(state: 2, seed: 720);
        RecoveryPoint second = await BackUpAsync(changed);
        await MaintainAsync();
        await AssertRestorableAsync(first, _five);
        await AssertRestorableAsync(second, TestKeys.Bytes(720, 5 << 20));

        await OpenedVault.Of(await _backups.OpenStoreAsync()).EndAsync(first, Cancel);
        long before = PackBytes();
        await MaintainAsync();
        await MaintainAsync();

        Assert.InRange(before - PackBytes(), 5 << 20, 6 << 20);
        await AssertRestorableAsync(second, TestKeys.Bytes(720, 5 << 20));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData("item", false)]
    [InlineData("item", true)]
    [InlineData("folder", false)]
    public async Task A_damaged_chunk_of_a_stream_alone_is_found_and_named_with_path_and_stream(string path, bool isLost)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("own", TestKeys.Bytes(730, 3 << 20)));
        RecoveryPoint point = await BackUpAsync(tree);
        await DamageAsync(point, path, "own", isLost);

        VerifyReport report = await _backups.VerifyAsync();

        Assert.Contains(
            report.Findings, finding => finding.Affected.Contains(new AffectedItem(point.SessionId, "/data", $"/data/{path}", "own")));
        Assert.Contains($":/data/{path} (stream 'own')", report.Findings.SelectMany(finding => finding.Affected).First(item => item.Stream == "own").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_list_of_a_stream_is_found_and_named_and_keeps_a_collection_from_deleting()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        ManifestEntry entry = (await _backups.EntriesAsync(point))["/data/item"];
        ChunkStore store = await _backups.OpenStoreAsync();
        Assert.True(store.Index.TryFind(entry.LongStreams[0].Content.Lists[0].Id, out ChunkLocation location));
        _backups.Objects.FlipBit(store.NameOf(location.Pack), location.Chunk.Offset + 3);

        VerifyReport report = await _backups.VerifyAsync();

        Assert.Contains(report.Findings, finding => finding.Affected.Any(item => item is { Path: "/data/item", Stream: "long" }));
        IReadOnlyList<string> before = _backups.Packs;
        await MaintainAsync();
        Assert.Subset(_backups.Packs.ToHashSet(), before.ToHashSet());
    }

    [Theory]
    [InlineData("item")]
    [InlineData("folder")]
    public async Task What_a_damaged_stream_costs_is_reported_and_the_rest_is_restored(string path)
    {
        FakeSourceTree tree = Script();
        tree[path].With(new FakeStream("own", TestKeys.Bytes(730, 3 << 20)));
        RecoveryPoint point = await BackUpAsync(tree);
        await DamageAsync(point, path, "own", isLost: false);
        var target = new MemoryTarget();

        RestoreResult result = await RestoreAsync(point, target);

        SkippedItem skipped = Assert.Single(_skipped);
        Assert.Equal(($"/data/{path}", BackupErrorId.VaultDataCorrupt), (skipped.Path, skipped.Id));
        Assert.Contains("'own'", skipped.Reason, StringComparison.Ordinal);
        Assert.True(result.LacksData);
        Assert.False(target[$"data/{path}"].Streams.ContainsKey("own"));
        AssertHas(target, $"data/{path}", "long", _five);
        AssertHas(target, "data/empty", "long", _five);
    }

    [Fact]
    public async Task What_is_there_does_not_give_way_to_a_file_that_lacks_a_stream()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        await DamageAsync(point, "item", "long", isLost: false);
        var target = new MemoryTarget();
        target.Put("data/item", [9, 9, 9]);
        target.Settle();

        await RestoreAsync(point, target, RestoreConflict.Overwrite);

        Assert.Equal([9, 9, 9], target["data/item"].Content);
        Assert.Contains(_skipped, item => item.Path == "/data/item" && item.Reason.Contains("'long'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_target_without_streams_gets_the_rest_and_each_stream_is_reported()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        var target = new MemoryTarget { HasStreams = false };

        RestoreResult result = await RestoreAsync(point, target);

        Assert.Equal(3, result.Skipped);
        Assert.Equal(
            ["/data/empty long", "/data/empty sparse", "/data/folder long", "/data/folder sparse", "/data/item long", "/data/item sparse"],
            _skipped.Select(item => $"{item.Path} {item.Reason.Split('\'')[1]}").Order());
        Assert.All(_skipped, item => Assert.Equal(BackupErrorId.RestoreMetadataFailed, item.Id));
        Assert.All(_skipped, item => Assert.Contains("stream", item.Reason, StringComparison.Ordinal));
        Assert.Equal(TestKeys.Bytes(12, 100), target["data/item"].Content);
    }

    [Theory]
    [InlineData(RestoreConflict.Overwrite)]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Copy)]
    public async Task A_file_with_another_stream_is_another_file(RestoreConflict conflict)
    {
        RecoveryPoint first = await BackUpAsync(Script());
        RecoveryPoint second = await BackUpAsync(Script(state: 1, seed: 721, changed: 5));
        var target = new MemoryTarget();
        await RestoreAsync(first, target);
        target.Settle();
        _skipped.Clear();

        RestoreResult result = await RestoreAsync(second, target, conflict, paths: "/data/item");

        byte[] now = TestKeys.Bytes(721, 5 << 20);
        AssertHas(target, "data/item", "long", conflict == RestoreConflict.Overwrite ? now : _five);
        Assert.Equal(conflict == RestoreConflict.Skip, _skipped.Any(item => item.Id == BackupErrorId.RestoreItemExists));
        if (conflict == RestoreConflict.Copy)
        {
            AssertHas(target, target.Paths.Single(path => path.StartsWith("data/item", StringComparison.Ordinal) && path != "data/item"), "long", now);
        }

        Assert.Equal(conflict == RestoreConflict.Skip ? 0 : 1, result.Files);
    }

    [Fact]
    public async Task What_has_its_streams_already_stays_as_it_is()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        var target = new MemoryTarget();
        await RestoreAsync(point, target);
        target.Settle();
        SparseContent file = target["data/item"].Streams["long"];
        SparseContent folder = target["data/folder"].Streams["long"];

        RestoreResult result = await RestoreAsync(point, target, RestoreConflict.Overwrite);

        Assert.Empty(_skipped);
        Assert.Equal((0, 3), (result.Files, result.AlreadyThere));
        Assert.Same(file, target["data/item"].Streams["long"]);
        Assert.Same(folder, target["data/folder"].Streams["long"]);
    }

    [Fact]
    public async Task A_verification_of_the_restore_finds_a_stream_that_is_not_as_it_was_written()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        var target = new MemoryTarget { OnStreamComplete = (path, content) => path.ToString() == "data/item" && content.Length == _five.Length ? content with { Length = content.Length - 1 } : content };

        await RestoreAsync(point, target, verify: true);

        SkippedItem skipped = Assert.Single(_skipped);
        Assert.Equal(("/data/item", BackupErrorId.RestoreVerifyFailed), (skipped.Path, skipped.Id));
        Assert.Contains("'long'", skipped.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_the_target_refuses_costs_its_item_nothing_else()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        var target = new MemoryTarget
        {
            BeforeStreamWrite = path => _ = path.ToString() == "data/item" ? throw new BackupException(BackupErrorId.RestoreItemFailed, "No.", "None: a test.") : 0,
        };

        await RestoreAsync(point, target);

        Assert.Equal("/data/item", Assert.Single(_skipped).Path);
        Assert.Equal(TestKeys.Bytes(12, 100), target["data/item"].Content);
        Assert.Empty(target["data/item"].Streams);
        AssertHas(target, "data/empty", "long", _five);
    }

    [Fact]
    public async Task A_copy_in_place_of_a_hard_link_gets_the_streams_too()
    {
        FakeSourceTree tree = Script();
        foreach (string name in new[] { "one", "other" })
        {
            var metadata = new EntryMetadata { Modified = new(0, 1), Changed = new(0, 1), FileId = 77, DeviceId = 1, LinkCount = 2 };
            tree.Put(name, EntryKind.File, metadata, TestKeys.Bytes(1, 1000), []);
            tree[name].With(new FakeStream("s", 3 << 20, (1 << 20, _island)));
        }

        RecoveryPoint point = await BackUpAsync(tree);
        var target = new MemoryTarget { MostNames = 1 };
        await RestoreAsync(point, target);

        Assert.NotSame(target["data/one"], target["data/other"]);
        foreach (string path in new[] { "data/one", "data/other" })
        {
            Assert.Equal(3 << 20, target[path].Streams["s"].Length);
            AssertRange(target[path].Streams["s"], 1 << 20, _island);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Streams_of_a_snapshot_that_stays_are_restored_without_the_vault(bool fails)
    {
        FakeSourceTree tree = Script();
        if (fails)
        {
            tree["item"].Streams[0].Refuses = FakeSourceTree.Unreadable("/data/item");
        }

        var target = new MemoryTarget();
        var source = new RecoveryPointSource { Path = "/data", Form = PathForm.Posix, Manifest = new ManifestRoot(default, 0, 0, 0, 0, 0) };
        var tally = new RestoreTally(new JobMonitor { ItemSkipped = _skipped.Add });
        SnapshotContents? contents = null;
        var verifier = new SnapshotVerifier(target, tally, () => contents!.Current!);
        using (var job = new RestoreJob(target, tally, verifier, RestoreConflict.Overwrite, new CopyNaming(CopyNames.Restored, _backups.Clock.GetLocalNow())))
        {
            contents = new SnapshotContents(job);
            job.Streams = new ItemStreams(job, contents, tellsImpossible: true);
            var items = new ItemSteps(job, new ItemPlacing(contents, job, verify: true), mapNames: false);
            foreach (MSOnlineBackup.Engine.Sources.SourceItem item in tree.Walk(Cancel))
            {
                contents.Current = item;
                await items.TakeAsync(new SelectedEntry(source, item.ReadDetails(), item.Entry.Path, false), contents.BeginFileAsync, Cancel);
            }

            items.Close();
        }

        AssertHas(target, "folder", "long", _five);
        AssertHas(target, "empty", "long", _five);
        AssertRange(target["item"].Streams["sparse"], 100 << 20, _island);
        Assert.Equal(700_000, target["item"].Streams["sparse"].Written);
        Assert.Equal(!fails, target["item"].Streams.ContainsKey("long"));
        Assert.Equal(fails ? ["/data/item"] : (string[])[], _skipped.Select(item => item.Path));
    }

    [Fact]
    public async Task A_trial_on_what_has_no_streams_does_not_call_that_a_difference()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        ChunkStore store = await _backups.OpenStoreAsync();
        RestoreRequest request = RestoreFixture.Request(point) with { ToleratesMissingStreams = true };
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, Cancel);
        var monitor = new JobMonitor { ItemSkipped = _skipped.Add };

        await RestoreWalk.RestoreAsync(store, request, selection, new MemoryTarget { HasStreams = false }, monitor, _backups.Options, Cancel);

        Assert.Empty(_skipped);
    }

    [Fact]
    public async Task A_rehearsal_writes_no_stream()
    {
        RecoveryPoint point = await BackUpAsync(Script());
        ChunkStore store = await _backups.OpenStoreAsync();
        RestoreRequest request = RestoreFixture.Request(point);
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, Cancel);

        RestorePlan plan = await RestoreWalk.RehearseAsync(store, request, selection, new MemoryTarget(), new JobMonitor(), _backups.Options, Cancel);

        Assert.Equal(3, plan.Files);
    }

    [Fact]
    public async Task A_repair_copies_what_a_stream_needs_out_of_a_damaged_pack()
    {
        FakeSourceTree tree = Script();
        tree["item"].With(new FakeStream("own", TestKeys.Bytes(730, 3 << 20)));
        RecoveryPoint point = await BackUpAsync(tree);
        await DamageAsync(point, "item", "own", isLost: false);
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            _backups.Clock.Advance(TimeSpan.FromMinutes(1));
            RepairReport repair = await vault.RepairAsync(new RepairRequest(), new JobMonitor(), Cancel);
            Assert.Contains(repair.Findings, finding => finding.Affected.Any(item => item is { Path: "/data/item", Stream: "own" }));
        }

        RecoveryPoint healed = await BackUpAsync(tree);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        await AssertRestorableAsync(healed, _five);
    }

    private static FakeSourceTree Script(int state = 1, int seed = 710, int changed = 0)
    {
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("", state).Folder("folder", state + changed).File("empty", [], state + changed)
            .File("item", TestKeys.Bytes(12, 100), state).File("other", TestKeys.Bytes(13, 50), state);
        if (changed != 0)
        {
            // The same content and time of modification: only what nobody can set tells.
            tree.Put("item", EntryKind.File, tree["item"].Entry.Metadata with { Changed = new(0, 1 + changed) }, TestKeys.Bytes(12, 100), []);
        }

        byte[] content = seed == 710 ? _five : TestKeys.Bytes(seed, 5 << 20);
        foreach (string path in new[] { "folder", "empty", "item" })
        {
            tree[path].With(new FakeStream("long", content)).With(new FakeStream("sparse", 200L << 20, (100 << 20, _island)));
        }

        return tree;
    }

    private static void AssertHas(MemoryTarget target, string path, string name, byte[] content)
    {
        SparseContent stream = target[path].Streams[name];
        Assert.Equal(content.Length, stream.Length);
        AssertRange(stream, 0, content);
        Assert.All(stream.Runs, run => Assert.InRange(run.Content.Length, 1, 4 << 20));
    }

    private static void AssertRange(SparseContent stream, long offset, byte[] content)
    {
        byte[] there = new byte[content.Length];
        Assert.Equal(there.Length, stream.Read(offset, there));
        Assert.True(there.AsSpan().SequenceEqual(content));
    }

    private async Task AssertRestorableAsync(RecoveryPoint point, byte[] content)
    {
        var target = new MemoryTarget();
        await RestoreAsync(point, target, verify: true);
        Assert.Empty(_skipped);
        foreach (string path in new[] { "data/folder", "data/empty", "data/item" })
        {
            AssertHas(target, path, "long", content);
            AssertRange(target[path].Streams["sparse"], 100 << 20, _island);
        }
    }

    private long PackBytes() => _backups.Packs.Sum(pack => (long)_backups.Objects.GetContent(pack).Length);

    private async Task<RecoveryPoint> BackUpAsync(FakeSourceTree tree)
    {
        _backups.Fakes["/data"] = tree;
        return (await _backups.BackUpAsync(Request("/data"))).Point;
    }

    private async Task MaintainAsync()
    {
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));
        using UnlockedVault vault = await _backups.OpenAsync();
        await vault.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);
    }

    private async Task<RestoreResult> RestoreAsync(
        RecoveryPoint point, MemoryTarget target, RestoreConflict conflict = RestoreConflict.Skip, bool verify = false, params string[] paths)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        RestoreRequest request = RestoreFixture.Request(point, conflict, verify, paths) with { Layout = RestoreLayout.FullPath };
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, Cancel);
        var monitor = new JobMonitor { ItemSkipped = item => { lock (_skipped) { _skipped.Add(item); } } };
        RestoreResult result = await RestoreWalk.RestoreAsync(store, request, selection, target, monitor, _backups.Options, Cancel);
        Assert.Empty(target.Violations);
        Assert.Equal(0, target.OpenFiles);
        return result;
    }

    // Damages a chunk that is in one stream and nowhere else, or loses the pack that it is in.
    private async Task DamageAsync(RecoveryPoint point, string path, string stream, bool isLost)
    {
        ManifestEntry entry = (await _backups.EntriesAsync(point))[$"/data/{path}"];
        ChunkStore store = await _backups.OpenStoreAsync();
        ItemContent content = entry.LongStreams.Single(one => EntryName.Escape(one.Name.Span) == stream);
        ChunkId chunk = (await new EntryContentReader(store).ReadAsync(content.Content, Cancel).FirstAsync(Cancel)).Chunk!.Value;
        Assert.True(store.Index.TryFind(chunk, out ChunkLocation location));
        if (isLost)
        {
            _backups.Objects.Remove(store.NameOf(location.Pack));
        }
        else
        {
            _backups.Objects.FlipBit(store.NameOf(location.Pack), location.Chunk.Offset + 7);
        }
    }
}
