using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreDamageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_could_not_be_read_is_reported_and_what_was_kept_is_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Add(new ManifestEntry { Path = EntryPath.Parse("unreadable"), Kind = EntryKind.File, Flags = EntryFlags.Unreadable, Size = 10, Metadata = new EntryMetadata() });
        vault.Add(
            new ManifestEntry { Path = EntryPath.Parse("locked"), Kind = EntryKind.Directory, Flags = EntryFlags.Unreadable, Metadata = new EntryMetadata() });
        vault.Add(await vault.FileAsync("kept", "1") with { Flags = EntryFlags.KeptFromEarlier });
        vault.Add(await vault.FileAsync("changed", "2") with { Flags = EntryFlags.ChangedWhileRead | EntryFlags.Racy });
        var target = new MemoryTarget();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(1, result.KeptFromEarlier);
        Assert.Equal(["src", "src/changed", "src/kept", "src/locked"], target.Paths);
        Assert.Equal(["/src/locked", "/src/unreadable"], vault.Skipped.Select(item => item.Path));
        Assert.Equal(2, plan.Unrestorable);
    }

    [Fact]
    public async Task A_damaged_chunk_fails_its_files_names_the_pack_and_spares_the_others()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        byte[] shared = [.. Enumerable.Range(0, 2000).Select(i => (byte)i)];
        await vault.FileAsync("bad1", (shared, 0), ([1, 2, 3], 0));
        await vault.FileAsync("bad2", (shared, 0));
        RecoveryPoint point = await vault.PointAsync();
        string pack = await DamageAsync(vault, shared);
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(point), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(["/src/bad1", "/src/bad2"], vault.Skipped.Select(item => item.Path).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataCorrupt, item.Id));
        Assert.All(vault.Skipped, item => Assert.Contains(pack, item.Reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_copy_of_a_damaged_or_missing_chunk_is_used(bool missing)
    {
        await using RestoreFixture vault = await CreateAsync();
        byte[] content = [.. Enumerable.Range(0, 2000).Select(i => (byte)i)];
        await using (WriteSession other = await vault.BeginOtherAsync())
        {
            vault.Folder("");
            await vault.FileAsync("a", (content, 0));
            await other.Chunks.WriteAsync(ChunkKind.Content, content, Cancel);
            await other.FlushAsync(Cancel);
        }

        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        Assert.Equal(2, store.Index.FindAll(vault.Entries.Last().Content.Slices[0].Chunk!.Value).Count);
        if (missing)
        {
            vault.Objects.Remove(store.NameOf(store.Index.FindAll(vault.Entries.Last().Content.Slices[0].Chunk!.Value)[0].Pack));
        }
        else
        {
            await DamageAsync(vault, content);
        }

        var target = new MemoryTarget();
        (_, RestoreResult result) = await vault.RestoreAsync(Request(point, verify: true), target);

        Assert.Equal(content, target["src/a"].Content);
        Assert.Equal((0, 1), (result.Skipped, result.Verified));
    }

    [Fact]
    public async Task A_pack_that_cannot_be_read_fails_the_files_in_it_only_and_is_asked_a_few_times()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry lost = await vault.FileAsync("lost", "lost");
        for (int i = 0; i < 60; i++)
        {
            await vault.FileAsync($"lost{i}", ([(byte)i, 1, 2], 0));
        }

        await vault.FlushAsync();
        await vault.FileAsync("good", "good");
        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        string pack = store.NameOf(store.Index.FindAll(lost.Content.Slices[0].Chunk!.Value)[0].Pack);
        HashSet<string> packs = [.. vault.Entries.Where(entry => entry.Path.ToString().StartsWith("lost", StringComparison.Ordinal))
            .Select(entry => store.NameOf(store.Index.FindAll(entry.Content.Slices[0].Chunk!.Value)[0].Pack))];
        var objects = new UnreadableObjects(vault.Objects, packs);
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(point), target, objects);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal((1, 61), (result.Files, result.Skipped));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataUnreadable, item.Id));
        Assert.Contains(pack, vault.Skipped.First(item => item.Path == "/src/lost").Reason, StringComparison.Ordinal);
        Assert.InRange(objects.Refusals, 1, 12 * packs.Count);
    }

    [Fact]
    public async Task A_missing_pack_fails_the_files_in_it_only()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry lost = await vault.FileAsync("lost", "lost");
        await vault.FlushAsync();
        await vault.FileAsync("good", "good");
        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        vault.Objects.Remove(store.NameOf(store.Index.FindAll(lost.Content.Slices[0].Chunk!.Value)[0].Pack));
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(point), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(["/src/lost"], vault.Skipped.Select(item => item.Path));
    }

    [Fact]
    public async Task A_chunk_that_no_pack_has_fails_its_file_only()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        vault.AddFile("lost", [1], new EntryContent([new ContentSlice(new ChunkId(new byte[32]), 0, 1)], []));
        vault.AddFile("beyond", [1], new EntryContent([new ContentSlice(await vault.StoreAsync([1, 2, 3]), 2, 5)], []));
        vault.Add(vault.Entries.First(entry => entry.Path == EntryPath.Parse("beyond")) with { Size = 5 });
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(
            [("/src/beyond", BackupErrorId.VaultDataCorrupt), ("/src/lost", BackupErrorId.VaultDataMissing)],
            vault.Skipped.Select(item => (item.Path, item.Id)).Order());
    }

    [Fact]
    public async Task A_damaged_part_of_the_manifest_is_reported_and_the_rest_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry one = await vault.FileAsync("one", "1");
        for (int i = 0; i < 6000; i++)
        {
            vault.AddFile($"{i:d5}-{unchecked((uint)i * 2654435761):x8}{new string('n', 60)}", [.. "1"u8], one.Content);
        }

        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        ManifestBlock[] leaves = NodeBlock.Read(
            await store.ReadAsync(ChunkKind.ManifestNode, point.Sources[0].Manifest.Id, Cancel),
            point.Sources[0].Manifest.Id,
            1,
            new ManifestTotals(
                point.Sources[0].Manifest.Entries, point.Sources[0].Manifest.Files, point.Sources[0].Manifest.Directories, point.Sources[0].Manifest.Bytes));
        Assert.True(leaves.Length > 2);
        Flip(vault, store, leaves[1].Id);
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(point), target);

        Assert.Equal(6001 - leaves[1].Totals.Files, result.Files);
        SkippedItem reported = Assert.Single(vault.Skipped);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, reported.Id);
    }

    private static async Task<string> DamageAsync(RestoreFixture vault, byte[] content)
    {
        ChunkStore store = await vault.OpenAsync();
        return Flip(vault, store, store.Identity.Compute(ChunkKind.Content, content));
    }

    private static string Flip(RestoreFixture vault, ChunkStore store, ChunkId id)
    {
        MSOnlineBackup.Vaults.Index.ChunkLocation location = store.Index.FindAll(id)[0];
        vault.Objects.FlipBit(store.NameOf(location.Pack), location.Chunk.Offset + 5);
        return store.NameOf(location.Pack);
    }

    /// <summary>A vault whose medium has lost some objects, while it answers for all others.</summary>
    private sealed class UnreadableObjects(IVaultStore inner, HashSet<string> names) : IVaultStore
    {
        private int _refusals;

        public int Refusals => _refusals;

        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (!names.Contains(name))
            {
                return inner.ReadAsync(name, offset, destination, cancellationToken);
            }

            Interlocked.Increment(ref _refusals);
            throw new BackupException(BackupErrorId.VaultDataUnreadable, $"'{name}' cannot be read: a test.", "None: a test.", name);
        }

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
