using System.Text;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Images;

/// <summary>Disks that are looked into where recovery points are shown as files.</summary>
public sealed class DiskViewTests : IDisposable
{
    private readonly DiskFixture _disks = new();

    public void Dispose() => _disks.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Each_disk_is_followed_by_the_folder_of_its_parts_however_few_are_listed_at_a_time(int most)
    {
        using IItemView view = await OpenAsync();
        ViewItem folder = await FindAsync(view, "vm1/disks");

        Assert.Equal(["vda.raw", "vda.raw.parts", "vdb.raw", "vdb.raw.parts"], await NamesAsync(view, folder, most));
        Assert.Equal(["0"], await NamesAsync(view, await FindAsync(view, "vm1/disks/vda.raw.parts"), most));
        Assert.Equal(["etc", "link", "lost+found", "many"], (await NamesAsync(view, await FindAsync(view, "vm1/disks/vda.raw.parts/0"), most)).Order());
        Assert.Equal(["disks", "machine.json"], await NamesAsync(view, await FindAsync(view, "vm1"), most));
    }

    [Fact]
    public async Task A_folder_of_many_files_is_listed_page_by_page_without_gaps()
    {
        using IItemView view = await OpenAsync();
        ViewItem many = await FindAsync(view, "vm1/disks/vda.raw.parts/0/many");

        string[] names = await NamesAsync(view, many, 7);

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"file-{i:000}"), names.Order());

        // From the middle, by somebody who has not listed what is before it.
        ViewPage all = await view.ListAsync(many.Id, 0, 1000, Cancel);
        ViewPage rest = await view.ListAsync(many.Id, all.Items[149].Id, 1000, Cancel);
        Assert.Equal(all.Items.Skip(150).Select(item => item.Id), rest.Items.Select(item => item.Id));
        Assert.True(rest.IsLast);
    }

    [Fact]
    public async Task Files_links_and_what_they_are_come_as_the_file_system_has_them()
    {
        using IItemView view = await OpenAsync();
        ViewItem random = await FindAsync(view, "vm1/disks/vda.raw.parts/0/etc/deep/random");
        byte[] expected = await File.ReadAllBytesAsync(Path.Combine(_disks.Root, "etc/deep/random"), Cancel);
        byte[] content = new byte[expected.Length + 10];

        Assert.Equal(expected.Length, random.Entry.Size);
        int length = 0;
        while (await view.ReadAsync(random.Id, length, content.AsMemory(length), Cancel) is > 0 and int read)
        {
            length += read;
        }

        Assert.True(expected.AsSpan().SequenceEqual(content.AsSpan(0, length)));
        Assert.Equal(new ViewExtent(IsHole: false, 100), await view.MeasureAsync(random.Id, 5, 100, Cancel));
        Assert.Equal(expected.Length, await view.SeekAsync(random.Id, 0, isHole: true, Cancel));
        Assert.Null(await view.SeekAsync(random.Id, expected.Length, isHole: false, Cancel));
        Assert.Equal("etc/passwd", Encoding.UTF8.GetString((await FindAsync(view, "vm1/disks/vda.raw.parts/0/link")).Entry.LinkTarget.Span));
        ViewItem passwd = await FindAsync(view, "vm1/disks/vda.raw.parts/0/etc/passwd");
        Assert.Equal((0x1A0u, 2u, EntryKind.File), (passwd.Entry.Metadata.Mode, passwd.Entry.Metadata.LinkCount, passwd.Entry.Kind));
        Assert.Equal(passwd.Id, (await FindAsync(view, "vm1/disks/vda.raw.parts/0/etc/passwd")).Id);
        Assert.Equal(passwd.Name.ToArray(), (await view.GetAsync(passwd.Id, Cancel)).Name.ToArray());
        Assert.Null(await view.FindAsync(passwd.Id, "x"u8.ToArray(), Cancel));
        Assert.Equal(BackupErrorId.RestoreItemFailed, (await Assert.ThrowsAsync<BackupException>(async () => await view.ReadAsync((await FindAsync(view, "vm1/disks/vda.raw.parts/0/etc")).Id, 0, content, Cancel))).Id);
    }

    [Fact]
    public async Task A_part_without_files_is_an_empty_folder_that_says_why_and_other_files_have_none()
    {
        using IItemView view = await OpenAsync();

        ViewPage page = await view.ListAsync((await FindAsync(view, "vm1/disks/vdb.raw.parts/0")).Id, 0, 10, Cancel);

        Assert.Equal((0, BackupErrorId.VolumeUnsupported), (page.Items.Count, page.Damage?.Id));
        Assert.Null(await view.FindAsync((await FindAsync(view, "vm1")).Id, "machine.json.parts"u8.ToArray(), Cancel));
        Assert.Null(await view.FindAsync((await FindAsync(view, "vm1/disks/vda.raw.parts")).Id, "7"u8.ToArray(), Cancel));
    }

    [Fact]
    public async Task What_is_damaged_on_a_disk_is_told_where_it_is_and_the_rest_is_shown()
    {
        byte[] disk = _disks.MakeDisk();

        // The folder's block, found by a name in it.
        int block = disk.AsSpan().IndexOf("file-000"u8) & ~1023;
        disk.AsSpan(block, 1024).Fill(0xEE);
        using IItemView view = await OpenAsync(disk);

        ViewPage damaged = await view.ListAsync((await FindAsync(view, "vm1/disks/vda.raw.parts/0/many")).Id, 0, 1000, Cancel);

        Assert.Equal(BackupErrorId.VolumeCorrupt, damaged.Damage?.Id);
        Assert.True(damaged.IsLast);
        Assert.Contains("passwd", await NamesAsync(view, await FindAsync(view, "vm1/disks/vda.raw.parts/0/etc"), 100));
    }

    private static async Task<ViewItem> FindAsync(IItemView view, string path)
    {
        ViewItem item = view.Root;
        foreach (string name in path.Split('/'))
        {
            item = await view.FindAsync(item.Id, Encoding.UTF8.GetBytes(name), Cancel) ?? throw new InvalidOperationException($"There is no '{name}' of '{path}'.");
        }

        return item;
    }

    private static async Task<string[]> NamesAsync(IItemView view, ViewItem folder, int most)
    {
        var names = new List<string>();
        ulong after = 0;
        while (true)
        {
            ViewPage page = await view.ListAsync(folder.Id, after, most, Cancel);
            Assert.Null(page.Damage);
            Assert.InRange(page.Items.Count, 0, most);
            names.AddRange(page.Items.Select(item => item.ShownName));
            if (page.IsLast)
            {
                return [.. names];
            }

            after = page.Items[^1].Id;
        }
    }

    private async Task<IItemView> OpenAsync(byte[]? disk = null)
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(disk ?? _disks.MakeDisk());
        return await vault.OpenViewAsync(point, new ViewOptions(), Cancel);
    }
}
