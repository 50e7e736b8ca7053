using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>A manifest that is looked into anywhere.</summary>
public sealed class ManifestViewTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_entry_is_found_by_its_path_and_by_its_place(int seed)
    {
        (List<ManifestEntry> entries, MemoryChunks _, ManifestView view) = await MakeAsync(RandomTree(seed, 3000));

        Assert.Equal(entries.Count, view.Count);
        for (int i = 0; i < entries.Count; i++)
        {
            PlacedEntry found = (await view.FindAsync(entries[i].Path, Cancel))!.Value;
            Assert.Equal(i, found.Ordinal);
            AssertSame(entries[i], found.Entry);
            AssertSame(entries[i], await view.GetAsync(i, Cancel));
            Assert.Null(await view.FindAsync(entries[i].Path.Append("none"u8), Cancel));
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await view.GetAsync(entries.Count, Cancel));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 7)]
    [InlineData(6, 100_000)]
    public async Task A_folder_is_listed_page_by_page_with_what_is_directly_in_it(int seed, int page)
    {
        (List<ManifestEntry> entries, MemoryChunks _, ManifestView view) = await MakeAsync(RandomTree(seed, 1500));
        ILookup<EntryPath, ManifestEntry> expected = entries.Where(entry => !entry.Path.IsRoot).ToLookup(entry => entry.Path.Parent);

        foreach (ManifestEntry folder in entries.Where(entry => entry.Kind == EntryKind.Directory))
        {
            (List<PlacedEntry> listed, BackupException? damage) = await ListAsync(view, folder.Path, page);

            Assert.Null(damage);
            Assert.Equal(expected[folder.Path].Select(entry => entry.Path), listed.Select(placed => placed.Entry.Path));
            Assert.All(listed, placed => Assert.Equal(placed.Entry.Path, entries[(int)placed.Ordinal].Path));
        }
    }

    [Fact]
    public async Task Of_a_large_manifest_one_look_up_reads_one_block_a_level_and_a_folder_with_much_below_it_is_passed_over()
    {
        var made = new List<ManifestEntry> { Folder("") };
        foreach (int i in Enumerable.Range(0, 20))
        {
            made.Add(Folder($"f{i:D2}"));
            made.AddRange(Enumerable.Range(0, 3000).Select(j => Manifests.File($"f{i:D2}/{j:D5}-{new string('x', 100)}")));
        }

        (List<ManifestEntry> entries, MemoryChunks chunks, ManifestView view) = await MakeAsync(made);
        int depth = await DepthAsync(chunks, entries);
        chunks.ResetReads();

        Assert.NotNull(await view.FindAsync(entries[31_234].Path, Cancel));
        Assert.Equal(depth + 1, chunks.Reads);
        Assert.Equal(entries[31_234].Path, (await view.GetAsync(31_234, Cancel)).Path);
        Assert.Equal(depth + 1, chunks.Reads);

        (List<PlacedEntry> listed, _) = await ListAsync(view, EntryPath.Root, 1000);
        Assert.Equal(20, listed.Count);
        Assert.InRange(chunks.Reads, 20, 20 * 3);
    }

    [Fact]
    public async Task Where_blocks_are_lost_what_they_had_is_missed_and_the_rest_is_there()
    {
        (List<ManifestEntry> entries, MemoryChunks chunks, ManifestView _) = await MakeAsync(RandomTree(9, 4000));
        ILookup<EntryPath, EntryPath> all = entries.Where(entry => !entry.Path.IsRoot).ToLookup(entry => entry.Path.Parent, entry => entry.Path);
        List<ManifestEntry> names = [.. entries.Where(entry => entry.Kind == EntryKind.Directory)];
        foreach (ChunkId lost in chunks.Ids)
        {
            byte[] content = chunks.Get(lost);
            chunks.Replace(lost, [9, 9]);
            ManifestView view = Open(chunks, entries, await RootAsync(chunks, entries));
            if (lost == (await RootAsync(chunks, entries)).Id)
            {
                await Assert.ThrowsAsync<BackupException>(async () => await view.FindAsync(EntryPath.Root, Cancel));
                chunks.Replace(lost, content);
                continue;
            }

            int missed = 0;
            foreach (ManifestEntry folder in names)
            {
                (List<PlacedEntry> listed, BackupException? damage) = await ListAsync(view, folder.Path, 50);
                Assert.Subset(all[folder.Path].ToHashSet(), listed.Select(placed => placed.Entry.Path).ToHashSet());

                // Nothing is missing in silence.
                Assert.True(listed.Count == all[folder.Path].Count() || damage is not null, folder.Path.ToString());
                missed += all[folder.Path].Count() - listed.Count;
            }

            Assert.NotEqual(0, missed);
            chunks.Replace(lost, content);
        }
    }

    [Fact]
    public async Task A_manifest_without_an_entry_is_empty()
    {
        (List<ManifestEntry> _, MemoryChunks _, ManifestView view) = await MakeAsync([]);

        Assert.Equal(0, view.Count);
        Assert.Null(await view.FindAsync(EntryPath.Root, Cancel));
        Assert.Empty((await view.ListAsync(EntryPath.Root, null, 10, Cancel)).Entries);
    }

    private static async Task<(List<PlacedEntry> Listed, BackupException? Damage)> ListAsync(ManifestView view, EntryPath folder, int most)
    {
        var listed = new List<PlacedEntry>();
        BackupException? damage = null;
        for (long? after = null; ;)
        {
            PlacedPage page = await view.ListAsync(folder, after, most, Cancel);
            listed.AddRange(page.Entries);
            damage ??= page.Damage;
            if (page.IsLast)
            {
                return (listed, damage);
            }

            after = page.Entries[^1].Ordinal;
        }
    }

    private static async Task<(List<ManifestEntry> Entries, MemoryChunks Chunks, ManifestView View)> MakeAsync(List<ManifestEntry> entries)
    {
        var chunks = new MemoryChunks();
        ManifestRoot root = await WriteAsync(chunks, entries);
        return (entries, chunks, Open(chunks, entries, root));
    }

    private static ManifestView Open(MemoryChunks chunks, List<ManifestEntry> entries, ManifestRoot root) => new(new ManifestBlocks(chunks, entries.Count * 400L), root);

    private static async Task<ManifestRoot> RootAsync(MemoryChunks chunks, List<ManifestEntry> entries)
    {
        var again = new MemoryChunks();
        ManifestRoot root = await WriteAsync(again, entries);
        return chunks.Contains(root.Id) ? root : throw new InvalidOperationException();
    }

    private static async Task<int> DepthAsync(MemoryChunks chunks, List<ManifestEntry> entries) => (await RootAsync(chunks, entries)).Depth;
}
