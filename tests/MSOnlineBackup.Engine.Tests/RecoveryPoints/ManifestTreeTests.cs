using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class ManifestTreeTests
{
    private static readonly Lazy<List<ManifestEntry>> _large = new(() => Tree(folders: 250, nameEnd: ""));

    [Fact]
    public async Task A_manifest_reads_as_it_was_written()
    {
        foreach (int seed in Enumerable.Range(1, 5))
        {
            var chunks = new MemoryChunks();
            List<ManifestEntry> entries = RandomTree(seed, 3000);

            ManifestRoot root = await WriteAsync(chunks, entries);

            AssertSame(entries, await new ManifestReader(chunks, root).ReadAsync(EntryPath.Root, Cancel).ToListAsync(Cancel));
            Assert.Equal(entries.Count, root.Entries);
            Assert.Equal(entries.Count(e => e.Kind == EntryKind.File), root.Files);
            Assert.Equal(entries.Count(e => e.Kind == EntryKind.Directory), root.Directories);
        }
    }

    [Fact]
    public async Task An_empty_manifest_is_one_empty_leaf()
    {
        var chunks = new MemoryChunks();

        ManifestRoot root = await WriteAsync(chunks, []);

        Assert.Equal(new ManifestRoot(MemoryChunks.IdOf(ChunkKind.ManifestLeaf, [1]), 0, 0, 0, 0, 0), root);
        Assert.Empty(await new ManifestReader(chunks, root).ReadAsync(EntryPath.Root, Cancel).ToListAsync(Cancel));
        Assert.Null(await new ManifestReader(chunks, root).FindAsync(Path("a"), Cancel));
    }

    [Fact]
    public async Task Entries_out_of_order_are_a_bug_of_the_caller()
    {
        var writer = new ManifestWriter(new MemoryChunks(), Key);
        await writer.AddAsync(Manifests.File("b"), Cancel);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.AddAsync(Manifests.File("a"), Cancel));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.AddAsync(Manifests.File("b"), Cancel));
    }

    [Fact]
    public async Task One_edit_changes_one_path_of_blocks_and_few_leaves()
    {
        List<ManifestEntry> entries = Tree(folders: 600, nameEnd: new string('x', 200));
        var chunks = new MemoryChunks();
        ManifestRoot before = await WriteAsync(chunks, entries);
        Assert.Equal(2, before.Depth);
        var known = chunks.Ids.ToHashSet();

        var random = new Random(5);
        for (int round = 0; round < 3; round++)
        {
            List<ManifestEntry> edited = [.. entries];
            int at = random.Next(1, edited.Count);
            switch (round % 3)
            {
                case 0:
                    edited[at] = edited[at] with { Metadata = edited[at].Metadata with { Modified = new(0, 5) } };
                    break;
                case 1:
                    edited.RemoveAt(at);
                    break;
                default:
                    edited.Insert(at + 1, Manifests.File(edited[at].Path + "!", new ContentSlice(Chunk(-round - 2), 0, 5)));
                    edited.Sort((a, b) => a.Path.CompareTo(b.Path));
                    break;
            }

            var again = new MemoryChunks();
            ManifestRoot after = await WriteAsync(again, edited);

            int changed = again.Ids.Count(id => !known.Contains(id));
            Assert.InRange(changed, 1, after.Depth + 4);
        }
    }

    [Fact]
    public async Task Checkpoints_hold_everything_so_far_and_change_nothing()
    {
        List<ManifestEntry> entries = _large.Value;
        var chunks = new MemoryChunks();
        ManifestRoot undisturbed = await WriteAsync(chunks, entries);
        var writer = new ManifestWriter(chunks, Key);
        for (int i = 0; i < entries.Count; i++)
        {
            await writer.AddAsync(entries[i], Cancel);
            if (i % 20_011 == 0 || i == 1)
            {
                ManifestEntry partial = Manifests.File(entries[i].Path + "/", new ContentSlice(Chunk(1), 0, 10)) with
                {
                    Path = entries[i].Path.Append("partial"u8),
                    Flags = EntryFlags.Partial,
                    Size = 1_000_000,
                };
                ManifestRoot with = await writer.CheckpointAsync(partial, Cancel);
                ManifestRoot without = await writer.CheckpointAsync(null, Cancel);

                AssertSame([.. entries[..(i + 1)], partial], await new ManifestReader(chunks, with).ReadAsync(EntryPath.Root, Cancel).ToListAsync(Cancel));
                AssertSame(entries[..(i + 1)], await new ManifestReader(chunks, without).ReadAsync(EntryPath.Root, Cancel).ToListAsync(Cancel));
            }
        }

        Assert.Equal(undisturbed, await writer.CompleteAsync(Cancel));
    }

    [Fact]
    public async Task Seeking_finds_what_a_linear_scan_finds()
    {
        var chunks = new MemoryChunks();
        List<ManifestEntry> entries = _large.Value;
        ManifestRoot root = await WriteAsync(chunks, entries);
        var reader = new ManifestReader(chunks, root);
        var random = new Random(11);
        for (int round = 0; round < 200; round++)
        {
            EntryPath path = entries[random.Next(entries.Count)].Path;
            path = random.Next(3) switch { 0 => path, 1 => new EntryPath([.. path.Bytes, (byte)'!']), _ => path.Parent };

            ManifestEntry? expected = entries.Find(entry => entry.Path == path);
            chunks.ResetReads();
            ManifestEntry? found = await reader.FindAsync(path, Cancel);

            Assert.Equal(root.Depth + 1, chunks.Reads);
            Assert.Equal(expected?.Path, found?.Path);
        }
    }

    [Fact]
    public async Task Subtrees_and_children_are_those_of_a_linear_scan()
    {
        foreach (int seed in Enumerable.Range(1, 4))
        {
            var chunks = new MemoryChunks();
            List<ManifestEntry> entries = RandomTree(seed, 4000);
            var reader = new ManifestReader(chunks, await WriteAsync(chunks, entries));
            var random = new Random(seed);
            for (int round = 0; round < 40; round++)
            {
                EntryPath folder = round == 0 ? EntryPath.Root : entries[random.Next(entries.Count)].Path;
                AssertSame(
                    entries.FindAll(entry => entry.Path.IsAtOrBelow(folder)),
                    await reader.ReadAsync(folder, Cancel).ToListAsync(Cancel));
                AssertSame(
                    entries.FindAll(entry => !entry.Path.IsRoot && entry.Path.Parent == folder),
                    await reader.ListChildrenAsync(folder, Cancel).ToListAsync(Cancel));
                AssertSame(
                    entries.FindAll(entry => entry.Path != folder && entry.Path.IsAtOrBelow(folder)),
                    await reader.OpenCursor().ReadBelow(folder, Cancel).ToListAsync(Cancel));
            }
        }
    }

    [Fact]
    public async Task Listing_the_root_passes_over_what_is_deeper()
    {
        var chunks = new MemoryChunks();
        ManifestRoot root = await WriteAsync(chunks, _large.Value);
        int blocks = chunks.Ids.Count;
        chunks.ResetReads();

        List<ManifestEntry> children = await new ManifestReader(chunks, root).ListChildrenAsync(EntryPath.Root, Cancel).ToListAsync(Cancel);

        Assert.Equal(3, children.Count);
        Assert.InRange(chunks.Reads, 1, 10);
        Assert.True(blocks > 20);
    }

    [Fact]
    public async Task A_merge_cursor_gives_equal_paths_and_null_for_others()
    {
        var chunks = new MemoryChunks();
        List<ManifestEntry> entries = _large.Value;
        ManifestRoot root = await WriteAsync(chunks, entries);
        var random = new Random(3);
        var known = entries.ToDictionary(entry => entry.Path);
        List<EntryPath> asked = [.. entries.Where(_ => random.Next(10) > 0).Select(entry => random.Next(10) == 0
            ? new EntryPath([.. entry.Path.Bytes, (byte)'~'])
            : entry.Path)];
        asked.Sort();

        ManifestCursor cursor = new ManifestReader(chunks, root).OpenCursor();
        foreach (EntryPath path in asked)
        {
            ManifestEntry? found = await cursor.AdvanceToAsync(path, Cancel);
            Assert.Equal(known.GetValueOrDefault(path)?.Metadata, found?.Metadata);
            Assert.Equal(known.ContainsKey(path), found is not null);
        }
    }

    [Fact]
    public async Task The_next_leaf_is_read_once_though_it_is_fetched_ahead()
    {
        var chunks = new MemoryChunks();
        ManifestRoot root = await WriteAsync(chunks, _large.Value);
        int blocks = chunks.Ids.Count;
        chunks.ResetReads();

        await new ManifestReader(chunks, root).ReadAsync(EntryPath.Root, Cancel).CountAsync(Cancel);

        Assert.Equal(blocks, chunks.Reads);
    }

    [Fact]
    public async Task A_missing_leaf_is_named()
    {
        var chunks = new MemoryChunks();
        ManifestRoot root = new(Chunk(1), 0, 0, 0, 0, 0);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(async () => await new ManifestReader(chunks, root).FindAsync(Path("a"), Cancel));

        Assert.Equal(BackupErrorId.VaultDataMissing, fault.Id);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(17)]
    public void A_depth_that_cannot_be_is_refused(int depth)
    {
        BackupException fault = Assert.Throws<BackupException>(() =>
            new ManifestReader(new MemoryChunks(), new ManifestRoot(Chunk(1), depth, 0, 0, 0, 0)).OpenCursor());

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
    }

    [Fact]
    public async Task Exchanged_or_mutated_blocks_are_refused_or_read_in_order()
    {
        var chunks = new MemoryChunks();
        ManifestRoot root = await WriteAsync(chunks, Tree(folders: 25, nameEnd: new string('x', 80)));
        ChunkId[] ids = [.. chunks.Ids.Order()];
        Assert.True(root.Depth > 0);
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            ChunkId victim = ids[random.Next(ids.Length)];
            byte[] original = chunks.Get(victim);
            byte[] replacement = random.Next(2) == 0 ? chunks.Get(ids[random.Next(ids.Length)]) : [.. original];
            if (random.Next(2) == 0)
            {
                replacement = [.. replacement];
                replacement[random.Next(replacement.Length)] ^= (byte)random.Next(1, 256);
            }

            chunks.Replace(victim, replacement);
            try
            {
                ReadInOrder(chunks, root);
            }
            catch (BackupException fault)
            {
                Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
            }
            finally
            {
                chunks.Replace(victim, original);
            }
        }).QuickCheckThrowOnFailure();
    }

    private static void ReadInOrder(MemoryChunks chunks, ManifestRoot root)
    {
        EntryPath? last = null;
        foreach (ManifestEntry entry in new ManifestReader(chunks, root).ReadAsync(EntryPath.Root, CancellationToken.None).ToBlockingEnumerable())
        {
            Assert.True(EntryPath.IsValid(entry.Path.Bytes));
            Assert.True(last is null || entry.Path > last);
            last = entry.Path;
        }

        Assert.NotNull(last);
    }

    private static List<ManifestEntry> Tree(int folders, string nameEnd)
    {
        var entries = new List<ManifestEntry> { Folder("") };
        foreach (string top in (string[])["home", "srv", "var"])
        {
            entries.Add(Folder(top));
            for (int folder = 0; folder < folders; folder++)
            {
                entries.Add(Folder($"{top}/project-{folder:d4}"));
                for (int file = 0; file < 80; file++)
                {
                    int number = (folder * 80) + file;
                    entries.Add(Manifests.File($"{top}/project-{folder:d4}/{file:d3}-{unchecked((uint)number * 2654435761):x8}{nameEnd}.c", new ContentSlice(Chunk(number / 50), number % 50 * 9000, 9000)) with
                    {
                        Metadata = new EntryMetadata { Mode = 0x1a4, Modified = new(0, 1_700_000_000_000_000_000 + (number * 7919L * 1_000_003)), Changed = new(0, 1_700_000_000_000_000_000 + (number * 10_007L)), FileId = (ulong)number },
                    });
                }
            }
        }

        return entries;
    }
}
