using System.Text;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Index;

/// <summary>Whatever becomes of a cache, an index that comes from it answers as one that was read from the vault.</summary>
public sealed class IndexCacheTests : IDisposable
{
    private const int Ids = 60;

    private static readonly IndexCacheBounds _small = new() { Smallest = 20, MostInMemory = 30 };

    private readonly TempFolder _folder = new();
    private readonly MemoryVaultStore _objects = new();
    private uint _lastSegment;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_index_from_a_cache_answers_as_one_from_the_vault_whatever_happens_to_segments()
    {
        int cached = 0;
        for (int round = 0; round < Campaign.Rounds(usual: 100, full: 1000, brief: 20); round++)
        {
            int seed = Random.Shared.Next();
            try
            {
                using var test = new IndexCacheTests();
                cached += await test.ActAtRandomAsync(new Random(seed));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }

        Assert.True(cached > 0, "No cache was ever used.");
    }

    // Opened anew after each change; and one that was opened earlier is refreshed, as a job does that goes on.
    private async Task<int> ActAtRandomAsync(Random random)
    {
        int cached = 0;
        ChunkStore heldPlain = await OpenAsync(null);
        ChunkStore heldCached = await OpenAsync(_folder.Path);
        for (int step = 0; step < 12; step++)
        {
            string[] segments = [.. _objects.Names];
            switch (random.Next(5))
            {
                case 0 when segments.Length > 0:
                    _objects.Remove(segments[random.Next(segments.Length)]);
                    break;
                case 1 when segments.Length > 1:
                    await RewriteAsync(random, [.. segments.Where(_ => random.Next(2) == 0)]);
                    break;
                default:
                    await AddSegmentAsync(random, [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => (uint)random.Next(12))]);
                    break;
            }

            ChunkStore plain = await OpenAsync(null);
            ChunkStore mapped = await OpenAsync(_folder.Path);
            cached += mapped.IsIndexCached ? 1 : 0;
            AssertSame(plain, mapped);
            Assert.Equal(await heldPlain.RefreshIndexAsync(Cancel), await heldCached.RefreshIndexAsync(Cancel));
            AssertSame(heldPlain, heldCached);
            if (random.Next(3) == 0)
            {
                WorkOn(random.Next(), plain, mapped);
                (heldPlain, heldCached) = (plain, mapped);
            }
        }

        return cached;
    }

    [Fact]
    public async Task No_bit_of_a_cache_can_change_and_none_be_missing_without_its_being_refused()
    {
        await FillAsync(40);
        await OpenAsync(_folder.Path);
        using SafeFileHandle file = File.OpenHandle(Cache, FileMode.Open, FileAccess.ReadWrite);
        AssertRefusedWhereChanged(file);
    }

    private static void AssertRefusedWhereChanged(SafeFileHandle file)
    {
        long length = RandomAccess.GetLength(file);
        Assert.NotNull(IndexCacheFile.TryRead(file, TestKeys.Keys));
        byte[] one = new byte[1];
        for (long at = 0; at < length; at++)
        {
            RandomAccess.Read(file, one, at);
            one[0] ^= (byte)(1 << (int)(at % 8));
            RandomAccess.Write(file, one, at);
            Assert.Null(IndexCacheFile.TryRead(file, TestKeys.Keys));
            one[0] ^= (byte)(1 << (int)(at % 8));
            RandomAccess.Write(file, one, at);
        }

        Assert.NotNull(IndexCacheFile.TryRead(file, TestKeys.Keys));
        RandomAccess.Write(file, one, length);
        Assert.Null(IndexCacheFile.TryRead(file, TestKeys.Keys));
        for (long less = length - 1; less >= 0; less--)
        {
            RandomAccess.SetLength(file, less);
            Assert.Null(IndexCacheFile.TryRead(file, TestKeys.Keys));
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(4100)]
    [InlineData(-1)]
    public async Task A_damaged_cache_is_thrown_away_and_made_anew(int flip)
    {
        await FillAsync(40);
        await OpenAsync(_folder.Path);
        string damaged = Cache;
        byte[] content = await File.ReadAllBytesAsync(damaged, Cancel);
        content[flip < 0 ? ^1 : flip] ^= 4;
        await File.WriteAllBytesAsync(damaged, content, Cancel);

        ChunkStore store = await OpenAsync(_folder.Path);

        Assert.False(store.IsIndexCached);
        AssertSame(await OpenAsync(null), store);
        Assert.NotEqual(damaged, Cache);
        Assert.True((await OpenAsync(_folder.Path)).IsIndexCached);
    }

    [Fact]
    public async Task What_was_not_written_with_the_stores_key_is_no_cache_of_it()
    {
        await FillAsync(40);
        await OpenAsync(_folder.Path);
        using SafeFileHandle file = File.OpenHandle(Cache);
        using var others = new StoreKeys(TestKeys.Bytes(4, StoreKeys.MasterKeyLength), TestKeys.VaultId, TestKeys.StoreId);

        Assert.Null(IndexCacheFile.TryRead(file, others));
        Assert.NotNull(IndexCacheFile.TryRead(file, TestKeys.Keys));
    }

    [Fact]
    public async Task A_cache_can_be_thrown_away_and_replaced_while_it_is_used()
    {
        await FillAsync(40);
        await OpenAsync(_folder.Path);
        ChunkStore first = await OpenAsync(_folder.Path);
        ChunkStore plain = await OpenAsync(null);
        ChunkStore second = await OpenAsync(_folder.Path);
        Assert.True(first.IsIndexCached && second.IsIndexCached);
        string old = Cache;
        await FillAsync(60);

        // Its records are in the new one, too.
        ChunkStore third = await OpenAsync(_folder.Path);
        AssertSame(await OpenAsync(null), third);
        Assert.NotEqual(old, Cache);
        AssertSame(plain, first);
        Directory.Delete(_folder.Path, recursive: true);

        AssertSame(plain, second);
        AssertSame(plain, first);
        AssertSame(await OpenAsync(null), third);
        AssertSame(await OpenAsync(null), await OpenAsync(_folder.Path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Many_who_open_a_store_at_once_use_and_replace_one_cache()
    {
        await FillAsync(120);
        ChunkStore plain = await OpenAsync(null);

        await Parallel.ForEachAsync(Enumerable.Range(0, 24), async (i, _) =>
        {
            AssertSame(plain, await OpenAsync(_folder.Path, afresh: i % 3 == 0));
        });

        Assert.All(Directory.GetFiles(_folder.Path), name => Assert.EndsWith(".index", name, StringComparison.Ordinal));
        Assert.True((await OpenAsync(_folder.Path)).IsIndexCached);
    }

    [Fact]
    public async Task Where_nothing_can_be_written_the_index_lies_in_memory()
    {
        await FillAsync(120);
        await File.WriteAllTextAsync(_folder["file"], "no folder", Cancel);

        foreach (string folder in (string[])[_folder["file"], _folder["file", "below"]])
        {
            ChunkStore store = await OpenAsync(folder);
            AssertSame(await OpenAsync(null), store);
            Assert.Empty(store.Damage);
        }
    }

    [Fact]
    public async Task On_a_full_disk_the_index_lies_in_memory_and_nothing_is_left_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Mounts a file system.");
        await FillAsync(120);
        using MountedFileSystem _ = MountedFileSystem.InMemory(_folder["small"], "8k");

        ChunkStore store = await OpenAsync(_folder["small"]);

        AssertSame(await OpenAsync(null), store);
        Assert.Empty(store.Damage);
        Assert.Empty(Directory.GetFiles(_folder["small"]));
    }

    // A backup does not look again at what it has cached; a verification must.
    [Fact]
    public async Task Who_reads_afresh_sees_damage_of_a_segment_that_a_cache_stands_for()
    {
        await FillAsync(40);
        await OpenAsync(_folder.Path);
        string segment = _objects.Names[0];
        _objects.FlipBit(segment, _objects.GetContent(segment).Length / 2);

        Assert.Empty((await OpenAsync(_folder.Path)).Damage);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Single((await OpenAsync(_folder.Path, afresh: true)).Damage).Id);
    }

    [Fact]
    public async Task What_small_stores_have_is_not_kept_nor_is_what_a_newer_version_wrote()
    {
        await AddSegmentAsync(new Random(1), [1]);
        await OpenAsync(_folder["a"], bounds: new IndexCacheBounds());
        Assert.False(Directory.Exists(_folder["a"]));

        await FillAsync(40);
        byte[] segment = IndexSegment.Encode([(TestPacks.Pack(77), TestPacks.Chunks([TestPacks.Id(1)]))]);
        segment[IndexSegment.HeaderLength + 25] = 0x80;
        await CreateAsync(segment);
        ChunkStore store = await OpenAsync(_folder["a"]);

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Single(store.Damage).Id);
        Assert.False(Directory.Exists(_folder["a"]) && Directory.GetFiles(_folder["a"], "*.index").Length > 0);
        AssertSame(await OpenAsync(null), store);
    }

    [Fact]
    public async Task Only_its_user_can_look_into_a_cache()
    {
        await FillAsync(40);
        await OpenAsync(_folder["new"]);
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Modes of Unix.");
            return;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder["new"]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Directory.GetFiles(_folder["new"]).Single()));
    }

    private string Cache => Assert.Single(Directory.GetFiles(_folder.Path));

    private async Task<ChunkStore> OpenAsync(string? folder, bool afresh = false, IndexCacheBounds? bounds = null)
    {
        var options = new VaultOptions { IndexCacheFolder = folder, IndexCacheBounds = bounds ?? _small };
        var store = new ChunkStore(new KnownVault(_objects, Header, options), Store, TestKeys.Keys);
        await store.ReadIndexAsync(Cancel, afresh);
        return store;
    }

    private async Task FillAsync(int records)
    {
        for (int i = 0; i < records; i += 10)
        {
            byte[] segment =
                IndexSegment.Encode([(TestPacks.Pack(100 + _lastSegment), TestPacks.Chunks(Enumerable.Range(i, 10).Select(id => TestPacks.Id(id % Ids))))]);
            await CreateAsync(segment);
        }
    }

    // The same pack holds the same whoever names it.
    private Task AddSegmentAsync(Random random, uint[] packs) =>
        CreateAsync(IndexSegment.Encode([.. packs.Distinct().Select(pack => (TestPacks.Pack(pack), (IReadOnlyList<PackedChunk>)ContentsOf(pack)))]));

    private static List<PackedChunk> ContentsOf(uint pack)
    {
        var random = new Random((int)pack);
        return TestPacks.Chunks(Enumerable.Range(0, random.Next(15)).Select(_ => random.Next(Ids)).Distinct().Select(TestPacks.Id));
    }

    // As a collector does: what stays of some segments, in one.
    private async Task RewriteAsync(Random random, string[] segments)
    {
        ChunkStore store = await OpenAsync(null);
        uint[] packs = [.. segments.SelectMany(segment => store.SegmentPacks[segment]).Select(pack => pack.Number).Distinct().Where(_ => random.Next(4) > 0)];
        await AddSegmentAsync(random, packs);
        foreach (string segment in segments)
        {
            _objects.Remove(segment);
        }
    }

    private async Task CreateAsync(byte[] segment)
    {
        string name = VaultLayout.Segment(Store, SessionId.Parse("00112233445566778899aabbccddeeff"), ++_lastSegment);
        Assert.True(await _objects.TryCreateAsync(name, SealedObject.Seal(TestKeys.Keys, SealedObjectKind.IndexSegment, name, segment), Cancel));
    }

    private static void WorkOn(int seed, params ChunkStore[] stores)
    {
        string[] said = [.. stores.Select(store =>
        {
            var random = new Random(seed);
            var words = new StringBuilder();
            for (int i = 0; i < 10; i++)
            {
                ChunkId id = TestPacks.Id(random.Next(2 * Ids));
                words.Append(store.Index.TryClaim(id)).Append(store.Index.Contains(id));
                if (random.Next(3) == 0)
                {
                    store.Index.AddPack(TestPacks.Pack(1000 + (uint)i), TestPacks.Chunks([id]));
                }
                else if (random.Next(3) == 0)
                {
                    words.Append(store.Index.TakeSegment()?.Length);
                }
                else if (store.Index.TryFind(id, out ChunkLocation copy))
                {
                    // Which copy it is differs.
                    foreach (ChunkLocation any in store.Index.FindAll(id))
                    {
                        store.Index.Distrust(any);
                    }

                    words.Append(copy.Chunk.Id);
                }
            }

            return words.ToString();
        })];
        Assert.Single(said.Distinct());
    }

    // A chunk of a pack that two segments name counts twice, or once where both were cached.
    private static void AssertSame(ChunkStore expected, ChunkStore actual)
    {
        Assert.Equal(expected.Segments.Order(), actual.Segments.Order());
        Assert.Equal(Sorted(expected.Index.Packs.Select(Describe)), Sorted(actual.Index.Packs.Select(Describe)));
        Assert.Equal(
            Sorted(expected.SegmentPacks.Select(segment => $"{segment.Key} {string.Join(' ', segment.Value.Select(Describe))}")),
            Sorted(actual.SegmentPacks.Select(segment => $"{segment.Key} {string.Join(' ', segment.Value.Select(Describe))}")));
        Assert.Equal(Sorted(expected.Index.All().Select(Describe).Distinct()), Sorted(actual.Index.All().Select(Describe).Distinct()));
        Assert.Equal(Visited(expected), Visited(actual));
        foreach (ChunkId id in Enumerable.Range(0, 2 * Ids).Select(TestPacks.Id))
        {
            Assert.Equal(Sorted(expected.Index.FindAll(id).Select(Describe).Distinct()), Sorted(actual.Index.FindAll(id).Select(Describe).Distinct()));
            Assert.Equal((expected.Index.Contains(id), expected.Index.TryFind(id, out _)), (actual.Index.Contains(id), actual.Index.TryFind(id, out _)));
        }
    }

    // What a collector sees: each chunk once, and whether it is marked.
    private static List<string> Visited(ChunkStore store)
    {
        var marks = new MSOnlineBackup.Vaults.Maintenance.ChunkMarks(store.Index.Consolidate());
        foreach (int value in Enumerable.Range(0, Ids / 2))
        {
            marks.TryMark(TestPacks.Id(2 * value));
        }

        var visited = new List<string>();
        MSOnlineBackup.Vaults.Maintenance.ChunkCopies.Visit(
            store.Index, marks, (isNeeded, copies) => visited.Add($"{isNeeded} {string.Join(' ', Sorted(copies.Select(Describe)))}"));
        return visited;
    }

    private static string[] Sorted(IEnumerable<string> texts) => [.. texts.Order(StringComparer.Ordinal)];

    private static string Describe(PackInfo pack) =>
        $"{pack.Session} {pack.Number} {pack.Kind} {pack.Length} {Convert.ToHexString(pack.Salt)} {pack.IsKnown} {pack.IsAvailable}";

    private static string Describe(ChunkLocation copy) => $"{copy.Pack.Number} {copy.Chunk}";
}
