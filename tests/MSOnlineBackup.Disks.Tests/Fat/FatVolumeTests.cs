using System.Text;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Tests.Partitions;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Fat;

/// <summary>Images made by mkfs.vfat and filled by mtools, which reads them again.</summary>
public sealed class FatVolumeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("-F 12 -s 8", 12)]
    [InlineData("-F 16 -s 1", 16)]
    [InlineData("-F 32 -s 1", 40)]
    [InlineData("-F 32 -S 4096 -s 1", 300)]
    public async Task What_is_read_is_what_mtools_reads(string options, int mebibytes)
    {
        Make(options, mebibytes);
        Directory.CreateDirectory(_folder["source"]);
        FatTree.Fill(_folder["source"]);
        MTools($"mcopy -s -m -i '{_folder["image"]}' '{_folder["source"]}'/* ::/");

        // Small files between which others were, so that the next one is in pieces.
        for (int i = 0; i < 30; i++)
        {
            MTools($"mcopy -i '{_folder["image"]}' '{_folder["source", "file-4097.bin"]}' ::/gap{i}");
        }

        MTools($"mdel -i '{_folder["image"]}' {string.Join(' ', Enumerable.Range(0, 15).Select(i => $"::/gap{2 * i}"))}");
        MTools($"mcopy -m -i '{_folder["image"]}' '{_folder["source", "file-400000.bin"]}' ::/pieces");
        Directory.CreateDirectory(_folder["read"]);
        MTools($"mcopy -s -m -i '{_folder["image"]}' '::/*' '{_folder["read"]}'");

        using var content = new ImageFile(_folder["image"]);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        SortedDictionary<string, string> expected = MountedTree.Of(_folder["read"], "%T@");

        // mtools keeps no times of folders.
        Assert.Equal(("vfat", "ALABEL", "1234-ABCD"), (volume.Kind, volume.Label, volume.Id));
        MountedTree.AssertSame(WithoutTimesOfFolders(expected), WithoutTimesOfFolders(await MountedTree.OfAsync(volume, Fields)));
        Assert.Contains("few/ümläut €uro", expected.Keys);
        Assert.Contains("1999", expected["file-512.bin"] is var line && line.Contains("946684798.", StringComparison.Ordinal) ? "1999" : line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_are_found_in_either_case_and_by_the_short_one()
    {
        Make("-F 16 -s 1", 12);
        await File.WriteAllTextAsync(_folder["A long Name.text"], "found", TestContext.Current.CancellationToken);
        MTools($"mcopy -i '{_folder["image"]}' '{_folder["A long Name.text"]}' ::/");
        using var content = new ImageFile(_folder["image"]);
        IFileVolume volume = await MountedTree.OpenAsync(content);

        foreach (string name in (string[])["A long Name.text", "a LONG name.TEXT", "ALONGN~1.TEX"])
        {
            VolumeItem? item = await FindAsync(volume, volume.Root, name);
            Assert.Equal("A long Name.text", Encoding.UTF8.GetString(item!.Name.Span));
            Assert.Equal("found"u8.ToArray(), await MountedTree.ReadAsync(volume, item));
        }

        Assert.Null(await FindAsync(volume, volume.Root, "another"));
    }

    [Fact]
    public async Task A_chain_of_clusters_that_comes_back_to_itself_is_damage()
    {
        Make("-F 16 -s 1", 12);
        await File.WriteAllBytesAsync(_folder["file"], new byte[5000], TestContext.Current.CancellationToken);
        MTools($"mcopy -i '{_folder["image"]}' '{_folder["file"]}' ::/");
        byte[] image = await File.ReadAllBytesAsync(_folder["image"], TestContext.Current.CancellationToken);

        // The file has the clusters 2 to 11; the fourth one leads to the first.
        int table = (image[14] | (image[15] << 8)) * 512;
        Assert.Equal(6, image[table + 10]);
        image[table + 10] = 2;
        IFileVolume volume = await MountedTree.OpenAsync(new MemoryImage(image));
        VolumeItem item = (await FindAsync(volume, volume.Root, "file"))!;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => MountedTree.ReadAsync(volume, item));
        Assert.Equal(BackupErrorId.VolumeCorrupt, error.Id);
    }

    [Theory]
    [InlineData("-F 12 -s 1", 1)]
    [InlineData("-F 16 -s 1", 4)]
    [InlineData("-F 32 -s 1", 40)]
    public async Task Altered_images_give_values_or_errors(string options, int mebibytes)
    {
        Make(options, mebibytes);
        string source = Directory.CreateDirectory(_folder["source"]).FullName;
        Directory.CreateDirectory(Path.Combine(source, "a", "b"));
        Directory.CreateDirectory(Path.Combine(source, "many"));
        for (int i = 0; i < 40; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(source, "many", $"a name of some length {i}"), "content", TestContext.Current.CancellationToken);
        }

        await File.WriteAllBytesAsync(Path.Combine(source, "file"), new byte[30_000], TestContext.Current.CancellationToken);
        MTools($"mcopy -s -i '{_folder["image"]}' '{source}'/* ::/");
        byte[] image = await File.ReadAllBytesAsync(_folder["image"], TestContext.Current.CancellationToken);

        await Damage.TryAsync(image, Campaign.Rounds(usual: 250, full: 50_000));
        await Damage.CutAsync(image, 20);
    }

    internal static ValueTask<VolumeItem?> FindAsync(IFileVolume volume, VolumeItem folder, string name) =>
        volume.FindAsync(folder, Encoding.UTF8.GetBytes(name), TestContext.Current.CancellationToken);

    internal static string Fields(VolumeItem item) => $"{item.Modified.Seconds}.{item.Modified.Nanoseconds:D9}0";

    private static void MTools(string command) => Shell.RunChecked("env", "LC_ALL=C.UTF-8", "TZ=UTC", "MTOOLS_SKIP_CHECK=1", "sh", "-c", command);

    private static SortedDictionary<string, string> WithoutTimesOfFolders(SortedDictionary<string, string> lines) =>
        new(lines.ToDictionary(line => line.Key, line => line.Value.StartsWith('d') ? "d" : line.Value), StringComparer.Ordinal);

    private void Make(string options, int mebibytes)
    {
        PartitionTableTests.RequireTool("mkfs.vfat", "dosfstools");
        PartitionTableTests.RequireTool("mcopy", "mtools");
        using (FileStream file = File.Create(_folder["image"]))
        {
            file.SetLength((long)mebibytes << 20);
        }

        Shell.RunChecked("sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin; mkfs.vfat {options} -n ALABEL -i 1234ABCD '{_folder["image"]}'");
    }
}
