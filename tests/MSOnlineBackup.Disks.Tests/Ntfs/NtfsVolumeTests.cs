using System.Globalization;
using System.Text;
using MSOnlineBackup.Disks.Ntfs;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ntfs;

/// <summary>Volumes that ntfs-3g made, file by file as it shows them.</summary>
public sealed class NtfsVolumeTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(512, 4096, 48)]
    [InlineData(512, 512, 48)]
    [InlineData(1024, 2048, 48)]
    [InlineData(4096, 4096, 48)]
    [InlineData(512, 65536, 64)]
    [InlineData(512, 2 << 20, 512)]
    public async Task All_files_are_as_the_system_shows_them(int sector, int cluster, int megabytes)
    {
        string image = NtfsImage.Create(_temp["ntfs"], (long)megabytes << 20, "-s", $"{sector}", "-c", $"{cluster}", "-L", "Schöne Daten");
        SortedDictionary<string, SystemTree.Seen>? expected = null;
        NtfsImage.Use(image, folder => Fill(folder, cluster));
        NtfsImage.Use(image, folder => expected = SystemTree.Read(folder), "ro,special_files=wsl");

        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);
        SortedDictionary<string, SystemTree.Seen> actual = await SystemTree.ReadAsync(volume);

        Assert.Equal("Schöne Daten", volume.Label);
        Assert.Equal(Shell.RunChecked("blkid", "-p", "-s", "UUID", "-o", "value", image).Trim(), volume.Id);
        Assert.Null(volume.Note);

        if (cluster <= 4096)
        {
            // What was meant to be there is.
            Assert.Contains("$ATTRIBUTE_LIST", Shell.Run("ntfsinfo", "-f", "-F", "pieces", image).Output, StringComparison.Ordinal);
            Assert.Contains("COMPRESSED", Shell.Run("ntfsinfo", "-f", "-F", "compressed/text", image).Output, StringComparison.Ordinal);
        }

        // ntfs-3g makes up modes and owners; it counts what is in a folder, and rounds the times of folders.
        SystemTree.AssertSame(Comparable(expected!), Comparable(actual));
        foreach (string path in expected!.Keys)
        {
            Assert.NotNull(await ReadVolume.FindAsync(volume, path));
        }
    }

    [Fact]
    public async Task A_large_folder_is_listed_and_searched()
    {
        int names = Campaign.IsFull ? 20_000 : 4000;
        string image = NtfsImage.Create(_temp["ntfs"], 128 << 20);
        NtfsImage.Use(image, folder =>
        {
            for (int i = 0; i < names; i++)
            {
                File.Create(Path.Combine(folder, Name(i))).Dispose();
            }
        });
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        Assert.Equal(Enumerable.Range(0, names).Select(Name).Order(StringComparer.Ordinal), (await ReadVolume.ItemsAsync(volume)).Keys);
        for (int i = 0; i < names; i += 997)
        {
            Assert.Equal(Name(i), Encoding.UTF8.GetString((await ReadVolume.FindAsync(volume, Name(i).ToUpperInvariant()))!.Name.Span));
        }

        Assert.Null(await ReadVolume.FindAsync(volume, "name-20000-"));

        static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"name-{number}-{new string('x', number % 40)}");
    }

    [Fact]
    public async Task A_file_table_in_many_pieces_is_read()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 12 << 20, "-c", "512");
        int small = 0;
        NtfsImage.Use(image, folder =>
        {
            // A full volume, of which every other file goes: the table grows into what they leave.
            int full = FillUp(i => File.WriteAllBytes(Path.Combine(folder, $"large{i}"), new byte[4096]));
            for (int i = 0; i < full; i += 2)
            {
                File.Delete(Path.Combine(folder, $"large{i}"));
            }

            small = FillUp(i => File.WriteAllText(Path.Combine(folder, $"small{i}"), $"content {i}"));
        });
        Assert.Contains("$ATTRIBUTE_LIST", Shell.Run("ntfsinfo", "-f", "-i", "0", image).Output, StringComparison.Ordinal);
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        SortedDictionary<string, VolumeItem> items = await ReadVolume.ItemsAsync(volume);

        Assert.All(Enumerable.Range(0, small), i => Assert.True(items.ContainsKey($"small{i}")));
        for (int i = 0; i < small; i += 17)
        {
            Assert.Equal($"content {i}", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, items[$"small{i}"])));
        }

        static int FillUp(Action<int> write)
        {
            for (int i = 0; ; i++)
            {
                try
                {
                    write(i);
                }
                catch (IOException)
                {
                    return i;
                }
            }
        }
    }

    [Fact]
    public async Task Names_are_compared_without_case_where_no_name_is_the_very_same()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 16 << 20);
        NtfsImage.Use(image, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "Ärger.txt"), "1");
            File.WriteAllText(Path.Combine(folder, "both"), "2");
            File.WriteAllText(Path.Combine(folder, "BOTH"), "3");
            File.WriteAllText(Path.Combine(folder, "a long name.text"), "4");
            Shell.RunChecked("setfattr", "-n", "system.ntfs_dos_name", "-v", "ALONGN~1.TEX", Path.Combine(folder, "a long name.text"));
        });
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        Assert.Equal("1", await TextAsync("äRGER.TXT"));
        Assert.Equal("2", await TextAsync("both"));
        Assert.Equal("3", await TextAsync("BOTH"));
        Assert.NotNull(await ReadVolume.FindAsync(volume, "Both"));
        Assert.Null(await ReadVolume.FindAsync(volume, "ALONGN~1.TEX"));
        Assert.Equal(["BOTH", "a long name.text", "both", "Ärger.txt"], (await ReadVolume.ItemsAsync(volume)).Keys);
        Assert.Null(await ReadVolume.FindAsync(volume, "$MFT"));
        Assert.Null(await ReadVolume.FindAsync(volume, "$Extend"));
        Assert.Equal(1u, (await ReadVolume.FindAsync(volume, "a long name.text"))!.LinkCount);

        async Task<string> TextAsync(string path) => Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, path))!));
    }

    [Fact]
    public async Task Links_of_Windows_have_the_targets_that_Windows_shows()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 16 << 20);
        NtfsImage.Use(image, folder =>
        {
            Reparse(Path.Combine(folder, "link"), LinkData(@"\??\C:\Users\Änne", 0xA000_000C, 12));
            Directory.CreateDirectory(Path.Combine(folder, "junction"));
            Reparse(Path.Combine(folder, "junction"), LinkData(@"\??\D:\Data", 0xA000_0003, 8));
            Directory.CreateDirectory(Path.Combine(folder, "mounted"));
            Reparse(Path.Combine(folder, "mounted"), LinkData(@"\??\Volume{6e07e680-0000-0000-0000-100000000000}\", 0xA000_0003, 8));
            Reparse(Path.Combine(folder, "packed"), [0x17, 0, 0, 0x80, 16, 0, 0, 0, .. new byte[16]]);
            Reparse(Path.Combine(folder, "cloud"), [0x1A, 0x60, 0, 0x90, 16, 0, 0, 0, .. new byte[16]]);
            File.WriteAllText(Path.Combine(folder, "plain"), "plain");
        });
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);

        Assert.Equal(@"C:\Users\Änne", await TargetAsync("link"));
        Assert.Equal(@"D:\Data", await TargetAsync("junction"));
        Assert.Equal(@"\??\Volume{6e07e680-0000-0000-0000-100000000000}\", await TargetAsync("mounted"));
        Assert.Equal("plain", Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, "plain"))!)));
        foreach ((string name, string why) in new[] { ("packed", "WOF"), ("cloud", "cloud") })
        {
            VolumeItem item = (await ReadVolume.FindAsync(volume, name))!;
            Assert.Equal(EntryKind.File, item.Kind);
            BackupException e = await Assert.ThrowsAsync<BackupException>(() => ReadVolume.ReadAsync(volume, item with { Length = 1 }));
            Assert.Equal(BackupErrorId.VolumeUnsupported, e.Id);
            Assert.Contains(why, e.Message, StringComparison.Ordinal);
        }

        async Task<string> TargetAsync(string path)
        {
            VolumeItem item = (await ReadVolume.FindAsync(volume, path))!;
            Assert.Equal(EntryKind.SymbolicLink, item.Kind);
            return Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, item));
        }
    }

    [Fact]
    public async Task What_was_never_written_is_zeroes()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 32 << 20);
        byte[] noise = new byte[100_000];
        new Random(5).NextBytes(noise);

        // So that what lies behind the valid length on the volume is not zeroes.
        NtfsImage.Use(image, folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, "old"), [.. Enumerable.Repeat((byte)7, 20_000_000)]);
            File.Delete(Path.Combine(folder, "old"));
            File.WriteAllBytes(Path.Combine(folder, "file"), noise);
        });
        Shell.RunChecked("ntfsfallocate", "-f", "-q", "-l", "8000000", image, "file");
        using var content = new ImageFile(image);
        IFileVolume volume = await OpenAsync(content);
        VolumeItem item = (await ReadVolume.FindAsync(volume, "file"))!;

        Assert.Equal(8_000_000, item.Length);
        byte[] bytes = await ReadVolume.ReadAsync(volume, item);
        Assert.Equal(noise, bytes[..noise.Length]);
        Assert.False(bytes.AsSpan(noise.Length).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task An_encrypted_file_is_told_by_itself()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 16 << 20);
        NtfsImage.Use(image, folder => File.WriteAllBytes(Path.Combine(folder, "secret"), new byte[50_000]));
        byte[] bytes = await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);

        // The attribute of 50,000 bytes gets the flag that EFS gives it.
        byte[] attribute = [0x80, 0, 0, 0, 0x48, 0, 0, 0, 1, 0, 0x40, 0];
        int at = bytes.AsSpan().IndexOf(attribute);
        while (BitConverter.ToInt64(bytes, at + 48) != 50_000)
        {
            at += 1 + bytes.AsSpan(at + 1).IndexOf(attribute);
        }

        bytes[at + 13] = 0x40;
        IFileVolume volume = await OpenAsync(new AlteredContent(bytes));
        VolumeItem item = (await ReadVolume.FindAsync(volume, "secret"))!;

        BackupException e = await Assert.ThrowsAsync<BackupException>(() => ReadVolume.ReadAsync(volume, item));
        Assert.Equal(BackupErrorId.VolumeUnsupported, e.Id);
        Assert.Equal("The NTFS volume is not read: a file is encrypted (EFS) (the disk).", e.Message);
    }

    [Fact]
    public async Task A_volume_that_was_in_use_is_read_and_says_so()
    {
        string image = NtfsImage.Create(_temp["ntfs"], 16 << 20);
        NtfsImage.Use(image, folder => File.WriteAllText(Path.Combine(folder, "file"), "content"));
        byte[] bytes = await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken);
        int record = bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes("$Volume"));
        byte[] attribute = [0x70, 0, 0, 0, 0x28, 0, 0, 0];
        int information = record + bytes.AsSpan(record).IndexOf(attribute);
        Assert.Equal(3, bytes[information + 24 + 8]);
        bytes[information + 24 + 10] = 1;

        IFileVolume volume = await OpenAsync(new AlteredContent(bytes));

        Assert.Contains("in use", volume.Note, StringComparison.Ordinal);
        Assert.Equal(["file"], (await ReadVolume.ItemsAsync(volume)).Keys);
    }

    [Theory]
    [InlineData(0, 2, true)]
    [InlineData(0, 0, false)]
    [InlineData(0xFFFF, 0, true)]
    public void The_log_says_whether_the_volume_was_let_go(int client, int flags, bool isClean)
    {
        // Two restart pages of 4096 bytes: the second is the newer one.
        byte[] log = new byte[12_288];
        Restart(log, 5, 0xFFFF, 2);
        Assert.True(NtfsLog.IsClean(log));
        Restart(log.AsSpan(4096), 6, client, flags);

        Assert.Equal(isClean, NtfsLog.IsClean(log));
        Assert.True(NtfsLog.IsClean([.. Enumerable.Repeat((byte)0xFF, 8192)]));
        Assert.True(NtfsLog.IsClean([]));

        static void Restart(Span<byte> page, long number, int client, int flags)
        {
            "RSTR"u8.CopyTo(page);
            BitConverter.TryWriteBytes(page[16..], 4096);
            BitConverter.TryWriteBytes(page[24..], (ushort)48);
            BitConverter.TryWriteBytes(page[48..], number);
            BitConverter.TryWriteBytes(page[60..], (ushort)client);
            BitConverter.TryWriteBytes(page[62..], (ushort)flags);
        }
    }

    private static async Task<IFileVolume> OpenAsync(Disks.Reading.IDiskContent content) =>
        (await NtfsVolume.ProbeAsync(content, "the disk", TestContext.Current.CancellationToken))!.RequireFiles();

    private static SortedDictionary<string, SystemTree.Seen> Comparable(SortedDictionary<string, SystemTree.Seen> items) => new(
        items.ToDictionary(
            item => item.Key,
            item => item.Value with { Mode = 0, User = 0, Group = 0, Links = item.Value.Kind == 'f' ? item.Value.Links : 0, Modified = item.Value.Modified }),
        StringComparer.Ordinal);

    private static void Fill(string folder, int cluster)
    {
        var random = new Random(cluster);
        string At(params string[] parts) => Path.Combine([folder, .. parts]);
        Write("empty", 0);
        Write("resident", 300);
        Write("large", 3_000_001);
        Write("exact", cluster <= 65536 ? cluster * 16 : cluster);
        Directory.CreateDirectory(At("a", "b", "c"));
        Write("a/b/c/deep", 70_000);
        Write("a/ümläut 日本 🙂", 10);
        Write("a/" + new string('n', 255), 10);
        File.CreateSymbolicLink(At("link"), "a/b/c/deep");
        File.CreateSymbolicLink(At("long link"), string.Join('/', Enumerable.Repeat("täglich", 120)));
        Shell.RunChecked("ln", At("resident"), At("a", "other name"));
        Shell.RunChecked("mkfifo", At("pipe"));
        File.SetLastWriteTimeUtc(At("resident"), new DateTime(1999, 12, 31, 23, 59, 58, DateTimeKind.Utc).AddTicks(1_234_567));

        // More than 4 GiB, most of it holes.
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

        // Written in another order than they have in the file, with holes between: so many pieces that they need more than one record.
        int[] pieces = [.. Enumerable.Range(0, cluster <= 4096 ? 1500 : 20)];
        random.Shuffle(pieces);
        using (FileStream scattered = File.Create(At("pieces")))
        {
            byte[] piece = new byte[Math.Max(cluster, 4096)];
            foreach (int i in pieces)
            {
                random.NextBytes(piece);
                scattered.Position = i * 2L * piece.Length;
                scattered.Write(piece);
                scattered.Flush();
            }
        }

        if (cluster <= 4096)
        {
            Directory.CreateDirectory(At("compressed"));
            Shell.RunChecked("setfattr", "-n", "system.ntfs_attrib", "-v", "0x00080000", At("compressed"));
            Text("compressed/text", 1_000_000);
            Write("compressed/noise", 300_000);
            Text("compressed/short", 5000);
            using FileStream mixed = File.Create(At("compressed", "mixed"));
            mixed.Write(Encoding.ASCII.GetBytes(new string('m', 100_000)));
            mixed.Position = 500_000;
            byte[] noise = new byte[70_000];
            random.NextBytes(noise);
            mixed.Write(noise);
            mixed.Write(new byte[200_000]);
        }

        void Write(string path, int length)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            File.WriteAllBytes(At(path), bytes);
        }

        void Text(string path, int length)
        {
            var text = new StringBuilder();
            while (text.Length < length)
            {
                text.Append(CultureInfo.InvariantCulture, $"line {random.Next(5000)} of {path}, {new string((char)('a' + random.Next(26)), random.Next(30))}\n");
            }

            File.WriteAllText(At(path), text.ToString());
        }
    }

    private static void Reparse(string path, byte[] data)
    {
        if (!Directory.Exists(path))
        {
            File.Create(path).Dispose();
        }

        Shell.RunChecked("setfattr", "-n", "system.ntfs_reparse_data", "-v", "0x" + Convert.ToHexString(data), path);
    }

    private static byte[] LinkData(string target, uint tag, int header)
    {
        byte[] name = Encoding.Unicode.GetBytes(target);
        return
        [
            .. BitConverter.GetBytes(tag), .. BitConverter.GetBytes((ushort)(header + name.Length + 2 + 2)), 0, 0,
            0, 0, .. BitConverter.GetBytes((ushort)name.Length), .. BitConverter.GetBytes((ushort)(name.Length + 2)), 0, 0,
            .. new byte[header - 8], .. name, 0, 0, 0, 0,
        ];
    }
}
