using System.Text;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Views;

/// <summary>A recovery point as a tree of files.</summary>
public sealed class PointViewTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_source_stands_at_its_full_path_and_all_of_it_can_be_read()
    {
        _backups.Tree.Populate(7).Sparse("sparse", 9 << 20, (0, 4096), (5 << 20, 70_000)).File("large", 5 << 20, seed: 3);
        using IItemView view = await OpenAsync();

        ViewItem root = await ResolveAsync(view, _backups.Root);
        var paths = new List<string>();
        await WalkAsync(view, root, _backups.Root, paths);

        Assert.Equal((await _backups.EntriesAsync(await LatestAsync())).Count - 1, paths.Count);
    }

    [Fact]
    public async Task A_file_is_read_from_any_offset()
    {
        _backups.Tree.File("file", 6_000_000, seed: 1);
        byte[] content = await File.ReadAllBytesAsync(_backups.Root + "/file", Cancel);
        using IItemView view = await OpenAsync(new ViewOptions { CacheBytes = 1 << 20 });
        ViewItem file = await ResolveAsync(view, _backups.Root + "/file");
        var random = new Random(1);

        for (int round = 0; round < 200; round++)
        {
            int offset = random.Next(content.Length + 10);
            byte[] read = new byte[random.Next(1, 300_000)];
            int length = await view.ReadAsync(file.Id, offset, read, Cancel);

            Assert.Equal(Math.Max(0, Math.Min(read.Length, content.Length - offset)), length);
            Assert.True(read.AsSpan(0, length).SequenceEqual(content.AsSpan(Math.Min(offset, content.Length), length)));
        }

        Assert.Equal(0, await view.ReadAsync(file.Id, long.MaxValue - 1, new byte[10], Cancel));
    }

    [Fact]
    public async Task Many_readers_at_once_each_get_their_bytes_though_little_is_kept()
    {
        _backups.Tree.File("a", 5_000_000, seed: 1).File("b", 5_000_000, seed: 2);
        using IItemView view = await OpenAsync(new ViewOptions { CacheBytes = 1, Parallel = 2 });
        byte[][] contents = [await File.ReadAllBytesAsync(_backups.Root + "/a", Cancel), await File.ReadAllBytesAsync(_backups.Root + "/b", Cancel)];
        ViewItem[] files = [await ResolveAsync(view, _backups.Root + "/a"), await ResolveAsync(view, _backups.Root + "/b")];

        await Parallel.ForEachAsync(Enumerable.Range(0, 16), Cancel, async (reader, token) =>
        {
            byte[] buffer = new byte[100_000];
            for (int offset = reader * 1000; offset < 5_000_000; offset += 211_111)
            {
                int length = await view.ReadAsync(files[reader % 2].Id, offset, buffer, token);
                Assert.True(contents[reader % 2].AsSpan(offset, length).SequenceEqual(buffer.AsSpan(0, length)));
            }
        });
    }

    [Fact]
    public async Task Holes_are_told_from_data()
    {
        _backups.Tree.Sparse("sparse", 20 << 20, (8 << 20, 1 << 20)).File("full", 1000).File("empty", 0);
        using IItemView view = await OpenAsync();
        ulong sparse = (await ResolveAsync(view, _backups.Root + "/sparse")).Id;
        ulong full = (await ResolveAsync(view, _backups.Root + "/full")).Id;

        Assert.Equal(8 << 20, await view.SeekAsync(sparse, 0, isHole: false, Cancel));
        Assert.Equal(0, await view.SeekAsync(sparse, 0, isHole: true, Cancel));
        Assert.Equal(9 << 20, await view.SeekAsync(sparse, (8 << 20) + 5, isHole: true, Cancel));
        Assert.Null(await view.SeekAsync(sparse, 10 << 20, isHole: false, Cancel));
        Assert.Equal(0, await view.SeekAsync(full, 0, isHole: false, Cancel));
        Assert.Equal(1000, await view.SeekAsync(full, 0, isHole: true, Cancel));
        Assert.Null(await view.SeekAsync(full, 1000, isHole: false, Cancel));
    }

    [Fact]
    public async Task Names_of_one_file_have_one_number_and_others_have_their_own()
    {
        _backups.Tree.File("one", 100).HardLink("other", "one").File("third", 100);
        using IItemView view = await OpenAsync();

        ViewItem[] items = [await ResolveAsync(view, _backups.Root + "/one"), await ResolveAsync(view, _backups.Root + "/other"), await ResolveAsync(view, _backups.Root + "/third")];

        Assert.Equal(items[0].FileNumber, items[1].FileNumber);
        Assert.NotEqual(items[0].Id, items[1].Id);
        Assert.Equal(items[2].Id, items[2].FileNumber);
    }

    [Fact]
    public async Task Sources_side_by_side_and_within_each_other_are_all_there()
    {
        _backups.Tree.File("a/x", 10).File("a/inner/y", 20).File("b/z", 30).File("single", 40);
        await _backups.BackUpAsync(Request(_backups.Root + "/a", _backups.Root + "/a/inner", _backups.Root + "/b", _backups.Root + "/single"));
        using IItemView view = await OpenAsync(await LatestAsync());

        Assert.Equal(["a", "b", "single"], await NamesAsync(view, _backups.Root));
        Assert.Equal(["inner", "x"], (await NamesAsync(view, _backups.Root + "/a")).Order());
        Assert.Equal(["y"], await NamesAsync(view, _backups.Root + "/a/inner"));
        ViewItem single = await ResolveAsync(view, _backups.Root + "/single");
        Assert.Equal(40, await view.ReadAsync(single.Id, 0, new byte[100], Cancel));
    }

    [Fact]
    public async Task A_page_whose_items_are_all_other_sources_is_no_end_and_no_standstill()
    {
        foreach (int i in Enumerable.Range(0, 9))
        {
            _backups.Tree.File($"a/{i}/y", 20);
        }

        await _backups.BackUpAsync(Request([_backups.Root + "/a", .. Enumerable.Range(0, 8).Select(i => $"{_backups.Root}/a/{i}")]));
        using IItemView view = await OpenAsync(await LatestAsync());
        ulong folder = (await ResolveAsync(view, _backups.Root + "/a")).Id;

        Assert.Equal(9, (await ListAsync(view, folder, most: 2)).Count);
        Assert.Equal(9, (await ListAsync(view, folder, most: 8)).Count);
    }

    [Fact]
    public async Task Numbers_stay_those_of_their_items_and_others_are_refused()
    {
        _backups.Tree.Populate(3);
        await _backups.BackUpAsync();
        using IItemView first = await OpenAsync(await LatestAsync());
        using IItemView second = await OpenAsync(await LatestAsync());
        ViewItem file = await ResolveAsync(first, _backups.Root);

        Assert.Equal(file.Entry.Path, (await second.GetAsync(file.Id, Cancel)).Entry.Path);
        foreach (ulong none in (ulong[])[0, 1000, 5UL << 40, (1UL << 40) | 999_999, ulong.MaxValue])
        {
            Assert.Equal(BackupErrorId.RecoverableItemNotFound, (await Assert.ThrowsAsync<BackupException>(async () => await first.GetAsync(none, Cancel))).Id);
        }

        foreach (string name in (string[])["", ".", "..", "a/b", "a\0b", "none"])
        {
            Assert.Null(await first.FindAsync(file.Id, Encoding.UTF8.GetBytes(name), Cancel));
        }
    }

    [Fact]
    public async Task What_is_damaged_fails_where_it_is_read_and_nowhere_else_and_works_again_when_it_is_mended()
    {
        _backups.Tree.File("good", 3_000_000, seed: 1);
        await _backups.BackUpAsync();
        string[] before = [.. _backups.Packs];
        _backups.Tree.File("bad", 3_000_000, seed: 2);
        await _backups.BackUpAsync();
        string pack = _backups.Packs.Except(before).MaxBy(name => _backups.Objects.GetContent(name).Length)!;
        byte[] whole = _backups.Objects.GetContent(pack);
        using IItemView view = await OpenAsync(await LatestAsync(), new ViewOptions { CacheBytes = 1 });
        _backups.Objects.SetContent(pack, [.. whole[..1000], .. new byte[whole.Length - 1000]]);
        ulong good = (await ResolveAsync(view, _backups.Root + "/good")).Id;
        ulong bad = (await ResolveAsync(view, _backups.Root + "/bad")).Id;
        byte[] buffer = new byte[3_000_000];

        Assert.True((await Assert.ThrowsAsync<BackupException>(async () => await view.ReadAsync(bad, 0, buffer, Cancel))).IsDamage);
        Assert.Equal(buffer.Length, await view.ReadAsync(good, 0, buffer, Cancel));
        _backups.Objects.SetContent(pack, whole);
        using IItemView mended = await OpenAsync(await LatestAsync());
        Assert.Equal(buffer.Length, await mended.ReadAsync(bad, 0, buffer, Cancel));
        Assert.Equal(await File.ReadAllBytesAsync(_backups.Root + "/bad", Cancel), buffer);
    }

    internal static async Task<ViewItem> ResolveAsync(IItemView view, string path)
    {
        ViewItem item = view.Root;
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            item = await view.FindAsync(item.Id, Encoding.UTF8.GetBytes(name), Cancel) ?? throw new FileNotFoundException(path);
        }

        return item;
    }

    internal static async Task<List<ViewItem>> ListAsync(IItemView view, ulong folder, int most = 3)
    {
        var items = new List<ViewItem>();
        for (ulong after = 0; ;)
        {
            ViewPage page = await view.ListAsync(folder, after, most, Cancel);
            Assert.Null(page.Damage);
            items.AddRange(page.Items);
            if (page.IsLast)
            {
                return items;
            }

            after = items[^1].Id;
        }
    }

    private static async Task<List<string>> NamesAsync(IItemView view, string path) => [.. (await ListAsync(view, (await ResolveAsync(view, path)).Id)).Select(item => item.ShownName)];

    private static async Task WalkAsync(IItemView view, ViewItem folder, string real, List<string> paths)
    {
        foreach (ViewItem item in await ListAsync(view, folder.Id))
        {
            string path = real + "/" + Encoding.UTF8.GetString(item.Name.Span);
            paths.Add(path);
            Assert.Equal(item.Id, (await view.FindAsync(folder.Id, item.Name, Cancel))!.Id);
            if (item.IsFolder)
            {
                await WalkAsync(view, item, path, paths);
            }
            else if (item.Entry.Kind == EntryKind.File && File.Exists(path))
            {
                byte[] buffer = new byte[item.Entry.Size + 10];
                int length = await view.ReadAsync(item.Id, 0, buffer, Cancel);
                Assert.Equal(await File.ReadAllBytesAsync(path, Cancel), buffer[..length]);
            }
        }
    }

    private async Task<RecoveryPoint> LatestAsync() => await (await _backups.OpenAsync()).GetPointAsync("latest", null, Cancel);

    private async Task<IItemView> OpenAsync(ViewOptions? options = null)
    {
        await _backups.BackUpAsync();
        return await OpenAsync(await LatestAsync(), options);
    }

    private async Task<IItemView> OpenAsync(RecoveryPoint point, ViewOptions? options = null)
    {
        IndexedVault index = await (await _backups.OpenAsync()).IndexAsync(Cancel);
        return await index.OpenViewAsync(point, options ?? new ViewOptions(), Cancel);
    }
}
