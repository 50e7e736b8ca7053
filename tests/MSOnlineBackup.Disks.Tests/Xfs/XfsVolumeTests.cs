using System.Globalization;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Disks.Xfs;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Xfs;

/// <summary>File systems that mkfs.xfs made and the kernel filled, file by file as it shows them.</summary>
public sealed class XfsVolumeTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("-m bigtime=0,reflink=0,rmapbt=0,finobt=0 -i nrext64=0,sparse=0")]
    [InlineData("-b size=1024 -n size=4096 -m bigtime=1,rmapbt=1 -i nrext64=1")]
    [InlineData("-b size=4096 -s size=4096 -n size=65536 -d sunit=128,swidth=512 -i size=2048")]
    [InlineData("-b size=65536 -i nrext64=1")]
    public async Task All_files_are_as_the_system_shows_them(string options)
    {
        bool hasReflinks = !options.Contains("reflink=0", StringComparison.Ordinal);
        string image = XfsImage.Create(_temp["xfs"], 1L << 30, ["-L", "data", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        XfsImage.Use(image, folder => Fill(folder, hasReflinks));
        SortedDictionary<string, SystemTree.Seen>? expected = null;
        XfsImage.Use(image, folder => expected = SystemTree.Read(folder));

        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        Assert.Equal("data", volume.Label);
        Assert.Equal(Shell.RunChecked("blkid", "-p", "-s", "UUID", "-o", "value", image).Trim(), volume.Id);
        Assert.Null(volume.Note);
        SystemTree.AssertSame(expected!, await SystemTree.ReadAsync(volume));
        foreach (string path in expected!.Keys.Where(path => !path.StartsWith("20000/", StringComparison.Ordinal) || path.EndsWith("999", StringComparison.Ordinal)))
        {
            Assert.Equal(expected[path].Length, (await ReadVolume.FindAsync(volume, path))!.Length);
        }

        Assert.Null(await ReadVolume.FindAsync(volume, "1000/no such name"));
        Assert.Null(await ReadVolume.FindAsync(volume, "FEW"));
    }

    [Theory]
    [InlineData("-m crc=0")]
    [InlineData("-m crc=0 -n ftype=0,size=8192 -b size=1024 -i size=256")]
    [InlineData("-n version=ci")]
    public async Task File_systems_that_this_kernel_does_not_mount_are_as_they_were_made(string options)
    {
        // mkfs itself fills them.
        byte[] bytes = new byte[300_000];
        new Random(7).NextBytes(bytes);
        await File.WriteAllBytesAsync(_temp["source"], bytes, TestContext.Current.CancellationToken);

        // In version 5, mkfs writes targets that are longer than an inode without their headers.
        string target = string.Join('/', Enumerable.Repeat("target", options.Contains("crc=0", StringComparison.Ordinal) ? 100 : 30));
        var prototype = new StringBuilder($"/none\n0 0\nd--755 0 0\nfile -u-644 1000 100 {_temp["source"]}\nshort l--777 0 0 file\nlong l--777 0 0 {target}\npipe p--600 5 6\nmany d--700 1 2\n");
        for (int i = 0; i < 1500; i++)
        {
            prototype.Append(CultureInfo.InvariantCulture, $"a-name-of-some-length-{i} l--777 0 0 {i}\n");
        }

        await File.WriteAllTextAsync(_temp["prototype"], prototype.Append("$\n$\n").ToString(), TestContext.Current.CancellationToken);
        string image = XfsImage.Create(_temp["xfs"], 64 << 20, [.. options.Split(' '), "-p", _temp["prototype"]]);
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        SortedDictionary<string, VolumeItem> items = await ReadVolume.ItemsAsync(volume);
        Assert.Equal(1505, items.Count);
        Assert.Equal(bytes, await ReadVolume.ReadAsync(volume, items["file"]));
        Assert.Equal((0x9A4u, 1000u, 100u, 1u), (items["file"].Permissions, items["file"].UserId, items["file"].GroupId, items["file"].LinkCount));
        Assert.Equal((EntryKind.Fifo, 0x180u), (items["pipe"].Kind, items["pipe"].Permissions));
        Assert.Equal("file", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, items["short"])));
        Assert.Equal(target, Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, items["long"])));
        Assert.Equal("1234", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, items["many/a-name-of-some-length-1234"])));
        Assert.Equal(options.Contains("ci", StringComparison.Ordinal), await ReadVolume.FindAsync(volume, "MANY/A-name-of-some-LENGTH-77") is not null);
    }

    [Fact]
    public async Task A_file_system_that_was_in_use_is_read_with_its_log_or_says_that_it_is_not()
    {
        string image = XfsImage.Create(_temp["xfs"], 64 << 20);
        XfsImage.Use(image, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "settled"), "content");
            Shell.RunChecked("xfs_io", "-c", "fsync", Path.Combine(folder, "settled"));
        });
        XfsImage.Use(image, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "new"), "content");
            Shell.RunChecked("sync", "-f", folder);
            Shell.RunChecked("cp", "--sparse=always", image, _temp["copy"]);
        });
        using var content = new ImageFile(_temp["copy"]);
        IFileVolume volume = await OpenAsync(content);

        Assert.Null(volume.Note);
        Assert.Equal("content", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, "new"))!)));
        Assert.Equal("content", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, "settled"))!)));

        // Records of a machine that has the greatest byte first are not read: what is in its place is.
        byte[] bytes = await File.ReadAllBytesAsync(_temp["copy"], TestContext.Current.CancellationToken);
        for (int at = 0; at < bytes.Length; at += 512)
        {
            if (bytes.AsSpan(at, 4).SequenceEqual(new byte[] { 0xFE, 0xED, 0xBA, 0xBE }))
            {
                bytes[at + 303] = 2;
            }
        }

        IFileVolume other = await OpenAsync(new AlteredContent(bytes));
        Assert.Contains("its log cannot be read", other.Note, StringComparison.Ordinal);
        Assert.True(other.WasInUse);
        Assert.NotNull(await ReadVolume.FindAsync(other, "settled"));
        using var closed = new ImageFile(image);
        Assert.Null((await OpenAsync(closed)).Note);
    }

    [Theory]
    [InlineData(8, "metadir")]
    [InlineData(9, "zoned")]
    [InlineData(20, "0x100000")]
    public async Task A_feature_of_a_later_version_is_told_by_its_name(int bit, string name)
    {
        string image = XfsImage.Create(_temp["xfs"], 16 << 20);
        byte[] bytes = await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
        bytes[219 - (bit / 8)] |= (byte)(1 << (bit % 8));
        BitConverter.TryWriteBytes(bytes.AsSpan(224), XfsChecksum.Of(bytes.AsSpan(0, 512), 224));

        PartContent found = (await XfsVolume.ProbeAsync(new AlteredContent(bytes), "partition 3", TestContext.Current.CancellationToken))!;

        Assert.Equal(("xfs", BackupErrorId.VolumeUnsupported), (found.Kind, found.Error!.Id));
        Assert.Equal($"The XFS file system is not read: it has the feature '{name}' (partition 3).", found.Error.Message);
    }

    [Fact]
    public async Task A_file_on_the_realtime_device_is_told_by_itself()
    {
        string image = XfsImage.Create(_temp["xfs"], 16 << 20, "-p", Prototype());
        byte[] bytes = await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
        IFileVolume sound = await OpenAsync(new AlteredContent(bytes));
        ulong number = (await ReadVolume.FindAsync(sound, "file"))!.Id;
        int at = bytes.AsSpan().IndexOf(InodeStart(bytes, number));
        bytes[at + 91] |= 1;
        BitConverter.TryWriteBytes(bytes.AsSpan(at + 100), XfsChecksum.Of(bytes.AsSpan(at, 512), 100));
        IFileVolume volume = await OpenAsync(new AlteredContent(bytes));

        BackupException e = await Assert.ThrowsAsync<BackupException>(async () => await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, "file"))!));
        Assert.Equal(BackupErrorId.VolumeUnsupported, e.Id);
        Assert.Equal(["file"], (await ReadVolume.ItemsAsync(volume)).Keys);
    }

    private static async Task<IFileVolume> OpenAsync(IDiskContent content) =>
        (await XfsVolume.ProbeAsync(content, "the disk", TestContext.Current.CancellationToken))!.RequireFiles();

    private string Prototype()
    {
        File.WriteAllText(_temp["source"], new string('s', 10_000));
        File.WriteAllText(_temp["prototype"], $"/none\n0 0\nd--755 0 0\nfile ---644 0 0 {_temp["source"]}\n$\n");
        return _temp["prototype"];
    }

    // An inode of version 3 knows its number.
    private static byte[] InodeStart(byte[] image, ulong number)
    {
        for (int at = 0; ; at += 512)
        {
            if (image[at] == 'I' && image[at + 1] == 'N' && System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(image.AsSpan(at + 152)) == number)
            {
                return image[at..(at + 176)];
            }
        }
    }

    private static void Fill(string folder, bool hasReflinks)
    {
        var random = new Random(11);
        string At(params string[] parts) => Path.Combine([folder, .. parts]);
        Write("empty", 0);
        Write("small", 300);
        Write("large", 3_000_001);
        Directory.CreateDirectory(At("few", "b", "c"));
        Write("few/b/c/deep", 70_000);
        Write("few/ümläut 日本 🙂", 10);
        Write("few/" + new string('n', 255), 10);
        File.CreateSymbolicLink(At("link"), "few/b/c/deep");
        File.CreateSymbolicLink(At("long link"), string.Join('/', Enumerable.Repeat("täglich", 100)));
        File.CreateSymbolicLink(At("longest link"), new string('x', 200) + "/" + new string('y', 822));
        Shell.RunChecked("ln", At("small"), At("few", "other name"));
        Shell.RunChecked("mkfifo", At("pipe"));
        Shell.RunChecked("chmod", "4600", At("pipe"));
        Shell.RunChecked("mknod", At("device"), "c", "1", "3");
        Shell.RunChecked("mknod", At("disk"), "b", "7", "0");
        Shell.RunChecked("chown", "1000:4000000000", At("large"));
        Shell.RunChecked("chmod", "6751", At("large"));
        Shell.RunChecked("touch", "-d", "1935-05-06 07:08:09", At("empty"));
        Shell.RunChecked("touch", "-d", "2037-05-06 07:08:09.999999999", At("small"));
        Shell.RunChecked("touch", "-d", "2199-01-01 00:00:00.5", At("pipe"));

        // Attributes take room from what tells where the data are.
        Shell.RunChecked("setfattr", "-n", "user.a", "-v", new string('v', 150), At("large"), At("few"));

        // More than 4 GiB, most of it holes; and pieces with holes between: so many that they need a tree.
        using (FileStream sparse = File.Create(At("sparse")))
        {
            foreach (long offset in new[] { 10_000_000L, (4L << 30) - 2048, 5L << 30 })
            {
                byte[] piece = new byte[40_000];
                random.NextBytes(piece);
                sparse.Position = offset;
                sparse.Write(piece);
            }
        }

        int[] pieces = [.. Enumerable.Range(0, 900)];
        random.Shuffle(pieces);
        using (FileStream scattered = File.Create(At("pieces")))
        {
            byte[] piece = new byte[4096];
            foreach (int i in pieces)
            {
                random.NextBytes(piece);
                scattered.Position = i * 140_000L;
                scattered.Write(piece);
            }
        }

        Shell.RunChecked("xfs_io", "-f", "-c", "falloc 0 10m", "-c", "pwrite -q -S 0x41 1m 64k", "-c", "falloc -k 10m 5m", At("unwritten"));
        if (hasReflinks)
        {
            Shell.RunChecked("cp", "--reflink=always", At("large"), At("shared"));
            using FileStream shared = File.OpenWrite(At("shared"));
            shared.Position = 100_000;
            shared.Write(new byte[5000]);
        }

        // Folders within the inode, of one block, of several, and of many; with gaps.
        foreach (int names in new[] { 40, 1000, 20_000 })
        {
            Directory.CreateDirectory(At($"{names}"));
            for (int i = 0; i < names; i++)
            {
                File.Create(At($"{names}", string.Create(CultureInfo.InvariantCulture, $"{new string('n', i % 50)}{i}"))).Dispose();
            }

            for (int i = 0; i < names; i += 7)
            {
                File.Delete(At($"{names}", string.Create(CultureInfo.InvariantCulture, $"{new string('n', i % 50)}{i}")));
            }
        }

        void Write(string path, int length)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            File.WriteAllBytes(At(path), bytes);
        }
    }
}
