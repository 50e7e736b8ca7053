using System.Text;
using MSOnlineBackup.Disks.Lvm;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Tests.Xfs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Lvm;

/// <summary>Logical volumes that LVM's own program made on image files.</summary>
public sealed class LogicalVolumesTests : IDisposable
{
    private const int Extent = 1 << 20;

    private readonly TempFolder _temp = new();
    private readonly List<ImageFile> _open = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _open.ForEach(content => content.Dispose());
        _temp.Dispose();
    }

    [Fact]
    public async Task A_file_system_in_pieces_on_two_disks_is_read()
    {
        byte[] fileSystem = await File.ReadAllBytesAsync(FileSystem(40 * Extent), Cancel);
        byte[] noise = new byte[9 * Extent];
        new Random(4).NextBytes(noise);
        string[] images;
        using (var disks = new LvmDisks(_temp, 32 * Extent, 48 * Extent))
        {
            disks.Run("pvcreate", [.. disks.Devices]);
            disks.Run("vgcreate", ["-s", "1M", "group", .. disks.Devices]);
            disks.Create("group", "first", 20);
            disks.Create("group", "noise-1", 9);
            disks.Run("lvextend", "-l", "40", "group/first");
            disks.Write("group/first", fileSystem);
            disks.Write("group/noise-1", noise);
            images = [.. disks.Images];
        }

        LogicalVolumes found = await OpenAsync(images);

        Assert.Empty(found.Damage);
        Assert.Equal([("group", "first", 40L * Extent), ("group", "noise-1", 9L * Extent)], found.Volumes.Select(volume => (volume.Group, volume.Name, volume.Length)));
        Assert.Equal("xfs", found.Volumes[0].Content.Kind);
        Disks.Volumes.IFileVolume volume = found.Volumes[0].Content.RequireFiles();
        Assert.Equal(["file"], (await ReadVolume.ItemsAsync(volume)).Keys);
        Assert.Equal(new string('f', 300_000), Encoding.ASCII.GetString(await ReadVolume.ReadAsync(volume, (await ReadVolume.FindAsync(volume, "file"))!)));

        // All of another, byte by byte.
        Assert.Equal(noise, await BytesAsync(images, "noise-1"));
        Assert.Equal(fileSystem, await BytesAsync(images, "first"));
    }

    [Fact]
    public async Task Without_one_of_the_disks_what_lies_on_it_says_so()
    {
        string[] images;
        using (var disks = new LvmDisks(_temp, 32 * Extent, 48 * Extent))
        {
            disks.Run("pvcreate", [.. disks.Devices]);
            disks.Run("vgcreate", ["-s", "1M", "group", .. disks.Devices]);
            disks.Create("group", "here", 4, disks.Devices[1]);
            disks.Run("lvcreate", "-an", "-Zn", "-Wn", "-l", "6", "-i", "2", "-n", "striped", "group");
            disks.Create("group", "both", 60);
            images = [.. disks.Images];
        }

        LogicalVolumes found = await OpenAsync(images[1]);
        LogicalVolumes all = await OpenAsync(images);

        Assert.Null(all.Volumes.Single(volume => volume.Name == "both").Content.Files);
        Assert.Equal("empty", all.Volumes.Single(volume => volume.Name == "both").Content.Kind);
        BackupException striped = all.Volumes.Single(volume => volume.Name == "striped").Content.Error!;
        Assert.Equal((BackupErrorId.VolumeUnsupported, "group/striped"), (striped.Id, striped.Target));
        Assert.Contains("over 2 physical volumes", striped.Message, StringComparison.Ordinal);
        BackupException error = found.Volumes.Single(volume => volume.Name == "both").Content.Error!;
        Assert.Equal(BackupErrorId.VolumeUnsupported, error.Id);
        Assert.Contains("'group/both'", error.Message, StringComparison.Ordinal);
        Assert.Contains("not at hand", error.Message, StringComparison.Ordinal);
        Assert.Contains(found.Volumes, volume => volume.Name == "here" && volume.Content.Kind == "empty");

        // A copy of a disk among the disks.
        Assert.Contains("there twice", (await OpenAsync([.. images, images[1]])).Volumes.Single(volume => volume.Name == "here").Content.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_text_is_read_where_it_goes_round()
    {
        using var disks = new LvmDisks(_temp, 32 * Extent);
        disks.Run("pvcreate", "--metadatasize", "32k", "--dataalignment", "4k", disks.Devices[0]);
        disks.Run("vgcreate", "-s", "1M", "group", disks.Devices[0]);
        disks.Create("group", "name0", 4);
        int rounds = 0;
        long before = 0;
        for (int i = 1; i <= 40; i++)
        {
            disks.Run("lvrename", "group", $"name{i - 1}", $"name{i}");
            Assert.Equal($"name{i}", Assert.Single((await OpenAsync(disks.Images[0])).Volumes).Name);
            byte[] area = new byte[64];
            await Image(disks.Images[0]).ReadAsync(4096, area, Cancel);
            (long offset, long length, long size) = (BitConverter.ToInt64(area, 40), BitConverter.ToInt64(area, 48), BitConverter.ToInt64(area, 32));
            rounds += offset + length > size || offset < before ? 1 : 0;
            before = offset;
        }

        Assert.True(rounds > 0);
    }

    [Theory]
    [InlineData("type = \"raid1\"\ndevice_count = 2\nraids = [\"a_rmeta_0\", \"a_rimage_0\"]", "'raid1'")]
    [InlineData("type = \"thin\"\nthin_pool = \"pool\"\ntransaction_id = 0\ndevice_id = 1", "'thin'")]
    [InlineData("type = \"cache\"\ncache_pool = \"pool\"\norigin = \"a_corig\"", "'cache'")]
    [InlineData("type = \"mirror\"\nmirror_count = 2\nmirrors = [\"a_0\", 0, \"a_1\", 0]", "'mirror'")]
    public void Kinds_that_are_not_linear_are_told_by_their_names(string segment, string kind)
    {
        LogicalVolume volume = Assert.Single(Assemble(Text($"a {{ status = [\"READ\", \"VISIBLE\"] segment_count = 1 segment1 {{ start_extent = 0 extent_count = 2 {segment} }} }}")));

        Assert.Equal((BackupErrorId.VolumeUnsupported, "g/a"), (volume.Error!.Id, volume.Error.Target));
        Assert.Contains(kind, volume.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_is_not_taken_for_what_it_is_a_snapshot_of()
    {
        List<LogicalVolume> volumes = Assemble(Text(
            Linear("origin", 0, 0) + Linear("snap", 0, 4)
            + "snapshot0 { status = [\"READ\"] segment_count = 1 segment1 { start_extent = 0 extent_count = 2 type = \"snapshot\" chunk_size = 8 origin = \"origin\" cow_store = \"snap\" } }"));

        Assert.Equal(["origin", "snap"], volumes.Select(volume => volume.Name));
        Assert.NotNull(volumes[0].Content);
        Assert.Contains("snapshot", volumes[1].Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 99)]
    [InlineData(1, 0)]
    [InlineData(0, long.MaxValue)]
    public void Extents_that_are_not_there_are_damage_of_their_volume_alone(long start, long place)
    {
        List<LogicalVolume> volumes = Assemble(Text(Linear("good", 0, 0) + Linear("bad", start, place)));

        Assert.NotNull(volumes[0].Content);
        Assert.Equal((BackupErrorId.VolumeCorrupt, "g/bad"), (volumes[1].Error!.Id, volumes[1].Error!.Target));
    }

    [Fact]
    public void Texts_have_comments_and_marks()
    {
        LvmSection text = LvmText.Parse("# first\na = 1 # one\nb { # two\n c = \"x \\\"y\\\" \\\\ # z\"\n d = [ 1, \"2\", ]\n e=[]\n}\n");

        Assert.Equal(1, text.Number("a"));
        Assert.Equal("x \"y\" \\ # z", text.Find("b")!.Text("c"));
        Assert.Equal(["1", "2"], text.Find("b")!.List("d"));
        Assert.Empty(text.Find("b")!.List("e"));
    }

    private static string Linear(string name, long start, long place) =>
        $"{name} {{ status = [\"READ\", \"VISIBLE\"] segment_count = 1 segment1 {{ start_extent = {start} extent_count = 2 type = \"striped\" stripe_count = 1 stripes = [ \"pv0\", {place} ] }} }}\n";

    private static string Text(string volumes) =>
        $"g {{ id = \"g-1\" seqno = 1 extent_size = 8 physical_volumes {{ pv0 {{ id = \"a-b\" pe_start = 8 pe_count = 9 }} }} logical_volumes {{ {volumes} }} }}";

    private static List<LogicalVolume> Assemble(string text) =>
        LvmGroup.Assemble([new LvmPhysicalVolume("ab", new AlteredContent(new byte[10 * 4096]), LvmText.Parse(text), null)], e => throw e);

    private async Task<LogicalVolumes> OpenAsync(params string[] images)
    {
        var disks = new List<(string, Disk)>();
        foreach (string image in images)
        {
            disks.Add(($"disk{disks.Count}", await Disk.OpenAsync(Image(image), Cancel)));
        }

        return await LogicalVolumes.OpenAsync(disks, Cancel);
    }

    private ImageFile Image(string image)
    {
        _open.Add(new ImageFile(image));
        return _open[^1];
    }

    private async Task<byte[]> BytesAsync(string[] images, string name)
    {
        var physical = new List<LvmPhysicalVolume>();
        foreach (string image in images)
        {
            physical.Add((await LvmPhysicalVolume.ReadAsync(Image(image), Cancel))!);
        }

        IDiskContent content = LvmGroup.Assemble(physical, e => throw e).Single(volume => volume.Name == name).Content!;
        byte[] bytes = new byte[content.Length];
        await content.ReadAsync(0, bytes, Cancel);
        return bytes;
    }

    private string FileSystem(long size)
    {
        File.WriteAllText(_temp["source"], new string('f', 300_000));
        File.WriteAllText(_temp["prototype"], $"/none\n0 0\nd--755 0 0\nfile ---644 0 0 {_temp["source"]}\n$\n");
        return XfsImage.Create(_temp["xfs"], size, "-p", _temp["prototype"]);
    }
}
