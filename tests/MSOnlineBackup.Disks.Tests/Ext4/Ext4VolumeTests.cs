using System.Diagnostics;
using System.Globalization;
using System.Text;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ext4;

public sealed class Ext4VolumeTests : IDisposable
{
    private const string Fields = "%m %U %G %T@ %n %i";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ext2", "-b 1024", "ext2")]
    [InlineData("ext2", "-b 4096 -I 128", "ext2")]
    [InlineData("ext3", "-b 1024", "ext3")]
    [InlineData("ext4", "-b 4096", "ext4")]
    [InlineData("ext4", "-b 1024 -O metadata_csum_seed,large_dir", "ext4")]
    [InlineData("ext4", "-b 2048 -O ^64bit,^metadata_csum,uninit_bg", "ext4")]
    [InlineData("ext4", "-b 1024 -O meta_bg,^resize_inode -g 1024", "ext4")]
    [InlineData("ext4", "-b 4096 -O inline_data", "ext4")]
    [InlineData("ext4", "-b 1024 -O inline_data -I 512", "ext4")]
    [InlineData("ext4", "-b 4096 -O bigalloc -C 16384", "ext4")]
    [InlineData("ext4", "-b 1024 -O sparse_super2,^has_journal,^extent,^64bit,meta_bg,^resize_inode", "ext4")]
    public async Task What_is_read_is_what_the_mount_shows(string kind, string options, string told)
    {
        Ext4Image.Require(kind);
        string image = _folder["image"];
        Ext4Image.Make(image, _folder["mount"], kind, options + " -L alabel -U 01234567-89ab-cdef-0123-456789abcdef");

        using var content = new ImageFile(image);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        using MountedFileSystem mounted = MountedFileSystem.Again(image, _folder["mount"], "ro,loop");

        Assert.Equal((told, "alabel", "01234567-89ab-cdef-0123-456789abcdef"), (volume.Kind, volume.Label, volume.Id));
        MountedTree.AssertSame(MountedTree.Of(_folder["mount"], Fields), await MountedTree.OfAsync(volume, MountedTree.UnixFields));
    }

    [Fact]
    public async Task Blocks_of_64_KiB_that_no_mount_here_takes_are_read()
    {
        Ext4Image.Require();
        string source = Directory.CreateDirectory(_folder["source"]).FullName;
        Ext4Image.Fill(source, 300);
        Shell.RunChecked("mkfs.ext4", "-q", "-F", "-b", "65536", "-d", source, _folder["image"], "96M");

        using var content = new ImageFile(_folder["image"]);
        SortedDictionary<string, string> found = await MountedTree.OfAsync(await MountedTree.OpenAsync(content), item => $"{Convert.ToString(item.Permissions!.Value, 8)} {item.UserId}");

        Assert.True(found.Remove("lost+found"));
        MountedTree.AssertSame(MountedTree.Of(source, "%m %U"), found);
    }

    [Fact]
    public async Task A_file_beyond_4_GiB_and_a_folder_of_20000_names_are_read()
    {
        Ext4Image.Require();
        string image = _folder["image"];
        using (MountedFileSystem mounted = MountedFileSystem.InImage(image, _folder["mount"], "ext4", 200 << 20, "-N", "22000"))
        {
            using (FileStream file = File.Create(_folder["mount", "large"]))
            {
                file.Position = (5L << 30) + 1;
                file.Write("here"u8);
                file.SetLength(6L << 30);
            }

            Directory.CreateDirectory(_folder["mount", "many"]);
            for (int i = 0; i < 20_000; i++)
            {
                File.Create(_folder["mount", "many", $"{i}"]).Dispose();
            }
        }

        MountedFileSystem.WaitUntilReleased(image);
        using var content = new ImageFile(image);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        VolumeItem large = (await FindAsync(volume, volume.Root, "large"))!;
        Assert.Equal(6L << 30, large.Length);
        var piece = new byte[8];
        Assert.Equal(8, await volume.ReadAsync(large, 5L << 30, piece, TestContext.Current.CancellationToken));
        Assert.Equal("\0here\0\0\0"u8.ToArray(), piece);
        Assert.Equal(3, await volume.ReadAsync(large, (6L << 30) - 3, piece, TestContext.Current.CancellationToken));
        Assert.Equal(0, await volume.ReadAsync(large, 7L << 30, piece, TestContext.Current.CancellationToken));

        VolumeItem many = (await FindAsync(volume, volume.Root, "many"))!;
        var names = new HashSet<string>();
        await foreach (VolumeItem item in volume.ListAsync(many, TestContext.Current.CancellationToken))
        {
            Assert.True(names.Add(Encoding.UTF8.GetString(item.Name.Span)));
        }

        Assert.Equal(20_000, names.Count);
        Assert.NotNull(await FindAsync(volume, many, "19999"));
        Assert.Null(await FindAsync(volume, many, "20000"));
    }

    [Fact]
    public async Task One_file_of_an_image_of_20_GiB_needs_few_of_its_bytes()
    {
        Ext4Image.Require();
        string image = _folder["image"];
        using (MountedFileSystem mounted = MountedFileSystem.InImage(image, _folder["mount"], "ext4", 20L << 30))
        {
            Directory.CreateDirectory(_folder["mount", "etc"]);
            await File.WriteAllBytesAsync(_folder["mount", "etc", "file"], new byte[1 << 20], TestContext.Current.CancellationToken);
        }

        MountedFileSystem.WaitUntilReleased(image);
        long started = Stopwatch.GetTimestamp();
        using var content = new ImageFile(image);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        VolumeItem folder = (await FindAsync(volume, volume.Root, "etc"))!;
        Assert.Equal(1 << 20, (await MountedTree.ReadAsync(volume, (await FindAsync(volume, folder, "file"))!)).Length);

        TestContext.Current.TestOutputHelper?.WriteLine($"{content.BytesRead} bytes read in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F1} ms");
        Assert.True(content.BytesRead < 4 << 20, $"{content.BytesRead} bytes were read.");
    }

    [Fact]
    public async Task Features_that_are_not_known_are_named()
    {
        Ext4Image.Require();
        byte[] image = Ext4Image.MakeSmall(_folder, "-b 1024 -O ^has_journal,^metadata_csum", 3);
        image[1024 + 0x60 + 1] |= 0x10;

        BackupException error = Assert.Single((await Disk.OpenAsync(new MemoryImage(image), TestContext.Current.CancellationToken)).Volumes).Content.Error!;

        Assert.Equal(BackupErrorId.VolumeUnsupported, error.Id);
        Assert.Contains("dirdata", error.Message, StringComparison.Ordinal);
        Assert.Contains("the disk", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_encrypted_file_is_refused_alone()
    {
        Ext4Image.Require();
        string image = _folder["image"];
        Ext4Image.Make(image, _folder["mount"], "ext4", "-b 1024 -O encrypt,^metadata_csum", names: 3);
        Shell.RunChecked("debugfs", "-w", "-R", "set_inode_field file-5000 flags 0x80800", image);

        using var content = new ImageFile(image);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        VolumeItem encrypted = (await FindAsync(volume, volume.Root, "file-5000"))!;
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => MountedTree.ReadAsync(volume, encrypted));

        Assert.Equal(BackupErrorId.VolumeUnsupported, error.Id);
        Assert.Equal(4096, (await MountedTree.ReadAsync(volume, (await FindAsync(volume, volume.Root, "file-4096"))!)).Length);
    }

    [Fact]
    public async Task A_damaged_inode_is_told_after_the_others_of_its_folder()
    {
        Ext4Image.Require();
        string image = _folder["image"];
        Ext4Image.Make(image, _folder["mount"], "ext4", "-b 1024", names: 3);
        ulong inode;
        using (var sound = new ImageFile(image))
        {
            IFileVolume whole = await MountedTree.OpenAsync(sound);
            inode = (await FindAsync(whole, whole.Root, "file-100"))!.Id;
        }

        string[] place = Shell.RunChecked("debugfs", "-R", $"imap <{inode}>", image).Split("located at block ")[1].Split('\n')[0].Split(", offset 0x");
        using (FileStream bytes = File.OpenWrite(image))
        {
            bytes.Position = (int.Parse(place[0], CultureInfo.InvariantCulture) * 1024) + int.Parse(place[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) + 5;
            bytes.WriteByte(77);
        }

        using var content = new ImageFile(image);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        var names = new List<string>();
        BackupException error = await Assert.ThrowsAsync<BackupException>(async () =>
        {
            await foreach (VolumeItem item in volume.ListAsync(volume.Root, TestContext.Current.CancellationToken))
            {
                names.Add(Encoding.UTF8.GetString(item.Name.Span));
            }
        });

        Assert.Equal(BackupErrorId.VolumeCorrupt, error.Id);
        Assert.Contains("checksum of inode", error.Message, StringComparison.Ordinal);
        Assert.Contains("file-130", names);
        Assert.Contains("pipe", names);
        Assert.DoesNotContain("file-100", names);
    }

    [Fact]
    public async Task A_folder_within_itself_and_a_name_that_cannot_be_one_are_damage()
    {
        Ext4Image.Require();
        byte[] image = Ext4Image.MakeSmall(_folder, "-b 1024 -O ^has_journal,^metadata_csum", 3);
        string path = _folder["altered"];
        await File.WriteAllBytesAsync(path, image, TestContext.Current.CancellationToken);
        Shell.RunChecked("debugfs", "-w", "-R", "link a a/b/again", path);
        image = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        image[image.AsSpan().IndexOf("more text"u8) + 4] = (byte)'/';
        IFileVolume volume = await MountedTree.OpenAsync(new MemoryImage(image));
        var errors = new List<BackupException>();
        var paths = new List<string>();

        await foreach ((IReadOnlyList<ReadOnlyMemory<byte>> names, _) in VolumeWalk.GoAsync(volume, volume.Root, (_, e) => errors.Add(e), TestContext.Current.CancellationToken))
        {
            paths.Add(string.Join('/', names.Select(name => Encoding.UTF8.GetString(name.Span))));
        }

        Assert.Equal(2, errors.Count);
        Assert.All(errors, error => Assert.Equal(BackupErrorId.VolumeCorrupt, error.Id));
        Assert.Contains("a/b/c", paths);
        Assert.Contains("text", paths);
        Assert.DoesNotContain(paths, name => name.Contains("again", StringComparison.Ordinal) || name.Contains("more", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-b 1024 -O ^has_journal,^metadata_csum", 80)]
    [InlineData("-b 1024 -O ^has_journal,^metadata_csum,inline_data", 40)]
    [InlineData("-b 1024 -O ^has_journal,^metadata_csum,^extent,^64bit", 41)]
    [InlineData("-b 1024 -O ^has_journal", 42)]
    public async Task Altered_images_give_values_or_errors(string options, int names)
    {
        Ext4Image.Require();
        byte[] image = Ext4Image.MakeSmall(_folder, options, names);

        await Damage.TryAsync(image, Campaign.Rounds(usual: 250, full: 50_000));
        await Damage.CutAsync(image, 20);
    }

    internal static ValueTask<VolumeItem?> FindAsync(IFileVolume volume, VolumeItem folder, string name) =>
        volume.FindAsync(folder, Encoding.UTF8.GetBytes(name), TestContext.Current.CancellationToken);
}
