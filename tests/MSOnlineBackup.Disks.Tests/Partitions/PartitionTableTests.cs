using MSOnlineBackup.Disks.Partitions;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Partitions;

/// <summary>Tables as sgdisk and sfdisk write them.</summary>
public sealed class PartitionTableTests : IDisposable
{
    private const string LinuxType = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    private const string SystemType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    private const int Mebibyte = 1 << 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_GPT_is_read_in_the_order_of_the_disk()
    {
        byte[] disk = Gpt();

        Disk read = await OpenAsync(disk);

        Assert.Equal(
            [
                new Partition(2, Mebibyte, 4 * Mebibyte, SystemType, "EFI ümläut"),
                new Partition(1, 8 * Mebibyte, 4 * Mebibyte, LinuxType, "root"),
                new Partition(7, 12 * Mebibyte, 2 * Mebibyte, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", null),
            ],
            read.Volumes.Select(volume => volume.Partition));
        Assert.All(read.Volumes, volume => Assert.Equal(("empty", BackupErrorId.VolumeUnsupported), (volume.Content.Kind, volume.Content.Error!.Id)));
        Assert.Equal(BackupErrorId.VolumeItemNotFound, Assert.Throws<BackupException>(() => read.Find(3)).Id);
        Assert.Equal("root", read.Find(1).Partition.Name);
    }

    [Theory]
    [InlineData(512 + 16)]
    [InlineData(512 + 60)]
    [InlineData(1024 + 33)]
    [InlineData(1024 + 8000)]
    public async Task A_GPT_whose_first_copy_is_damaged_is_read_from_the_second(int place)
    {
        byte[] disk = Gpt();
        disk[place] ^= 1;

        Assert.Equal([2, 1, 7], (await OpenAsync(disk)).Volumes.Select(volume => volume.Partition.Number));
        disk[^(512 - 60)] ^= 1;
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => OpenAsync(disk));
        Assert.Equal(BackupErrorId.VolumeCorrupt, error.Id);
    }

    [Fact]
    public async Task A_GPT_is_read_without_the_first_sector_and_from_a_disk_that_grew()
    {
        byte[] disk = Gpt();
        disk.AsSpan(0, 512).Clear();
        Assert.Equal(3, (await OpenAsync(disk)).Volumes.Count);

        byte[] grown = [.. disk, .. new byte[Mebibyte]];
        grown[1024] ^= 1;
        Assert.Equal(3, (await OpenAsync(grown)).Volumes.Count);
    }

    [Fact]
    public async Task A_GPT_of_sectors_of_4_KiB_is_read()
    {
        RequireTool("sfdisk", "fdisk");
        string image = _folder["disk"];
        await File.WriteAllBytesAsync(image, new byte[32 * Mebibyte], TestContext.Current.CancellationToken);
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: sfdisk takes the size of sectors from a device.");
        string device = Shell.RunChecked("losetup", "--find", "--show", "--sector-size", "4096", image).Trim();
        try
        {
            Feed("sfdisk -q --no-reread", device, "label: gpt\nstart=256, size=1024, name=first\nstart=2048, size=512, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n");
        }
        finally
        {
            Shell.RunChecked("losetup", "--detach", device);
        }

        Assert.Equal(
            [new Partition(1, Mebibyte, 4 * Mebibyte, LinuxType, "first"), new Partition(2, 8 * Mebibyte, 2 * Mebibyte, SystemType, null)],
            (await OpenAsync(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken))).Volumes.Select(volume => volume.Partition));
    }

    [Fact]
    public async Task An_MBR_is_read_with_its_logical_partitions()
    {
        byte[] disk = Mbr();

        Assert.Equal(
            [
                new Partition(1, Mebibyte, 2 * Mebibyte, "0x83", null),
                new Partition(5, 5 * Mebibyte, 2 * Mebibyte, "0x83", null),
                new Partition(6, 8 * Mebibyte, 2 * Mebibyte, "0x82", null),
                new Partition(7, 11 * Mebibyte, 2 * Mebibyte, "0x07", null),
                new Partition(3, 20 * Mebibyte, 4 * Mebibyte, "0x0c", null),
            ],
            (await OpenAsync(disk)).Volumes.Select(volume => volume.Partition));
    }

    [Fact]
    public async Task A_chain_of_logical_partitions_that_comes_back_to_itself_ends()
    {
        byte[] disk = Mbr();

        // The second link names the next one relative to the whole chain, which begins at 4 MiB: 0 is its first link.
        int link = 7 * Mebibyte;
        Assert.Equal(0xAA, disk[link + 511]);
        disk.AsSpan(link + 446 + 16 + 8, 4).Clear();

        IReadOnlyList<DiskVolume> volumes = (await OpenAsync(disk)).Volumes;

        Assert.Equal([1, 5, 6, 3, 7], volumes.Select(volume => volume.Partition.Number));
        Assert.Equal(BackupErrorId.VolumeCorrupt, volumes[^1].Content.Error!.Id);
        Assert.Contains("partition 7", volumes[^1].Content.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partition_outside_the_disk_or_over_another_is_told_and_the_others_are_read()
    {
        byte[] disk = Mbr();
        disk[446 + 32 + 12 + 3] = 0x70;
        IReadOnlyList<DiskVolume> volumes = (await OpenAsync(disk)).Volumes;
        Assert.Equal(BackupErrorId.VolumeCorrupt, volumes.Single(volume => volume.Partition.Number == 3).Content.Error!.Id);
        Assert.Equal("empty", volumes.Single(volume => volume.Partition.Number == 1).Content.Kind);

        disk = Mbr();
        disk[446 + 12 + 1] = 0x30;
        volumes = (await OpenAsync(disk)).Volumes;
        BackupException error = volumes.Single(volume => volume.Partition.Number == 5).Content.Error!;
        Assert.Contains("partition 5 overlaps", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkswap -q", "swap", "mkswap", "util-linux")]
    [InlineData("mkfs.ext4 -q", "ext4", "mkfs.ext4", "e2fsprogs")]
    public async Task A_disk_without_a_table_is_one_part(string command, string kind, string tool, string package)
    {
        RequireTool(tool, package);
        string image = _folder["disk"];
        await File.WriteAllBytesAsync(image, new byte[8 * Mebibyte], TestContext.Current.CancellationToken);
        Shell.RunChecked("sh", "-c", $"{command} '{image}'");

        DiskVolume volume = Assert.Single((await OpenAsync(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken))).Volumes);

        Assert.Equal((0, kind), (volume.Partition.Number, volume.Content.Kind));
    }

    [Fact]
    public async Task What_is_not_opened_says_why()
    {
        byte[] luks = new byte[Mebibyte];
        new byte[] { 0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0, 2 }.CopyTo(luks, 0);
        Assert.Equal(("crypto_LUKS", true), await ToldAsync(luks, "encrypted"));
        byte[] bitLocker = new byte[Mebibyte];
        "-FVE-FS-"u8.CopyTo(bitLocker.AsSpan(3));
        Assert.Equal(("BitLocker", true), await ToldAsync(bitLocker, "encrypted"));
        byte[] lvm = new byte[Mebibyte];
        "LABELONE"u8.CopyTo(lvm.AsSpan(512));
        "LVM2 001"u8.CopyTo(lvm.AsSpan(512 + 24));
        Assert.Equal("LVM2_member", (await ToldAsync(lvm, "")).Kind);
        byte[] other = new byte[Mebibyte];
        other[70_000] = 1;
        Assert.Equal((null, true), await ToldAsync(other, "not known"));
        Assert.Equal(("empty", true), await ToldAsync(new byte[Mebibyte], "empty"));
        Assert.Equal(("empty", true), await ToldAsync([], "empty"));

        static async Task<(string? Kind, bool IsTold)> ToldAsync(byte[] bytes, string why)
        {
            DiskVolume volume = Assert.Single((await OpenAsync(bytes)).Volumes);
            Assert.Equal(BackupErrorId.VolumeUnsupported, volume.Content.Error!.Id);
            return (volume.Content.Kind, volume.Content.Error.Message.Contains(why, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("btrfs", 0x10040, "5F42485266535F4D")]
    [InlineData("ReFS", 3, "5265465300000000")]
    [InlineData("apfs", 32, "4E585342")]
    [InlineData("linux_raid_member", 4096, "FC4E2BA9")]
    [InlineData("iso9660", 0x8001, "4344303031")]
    public async Task What_is_known_and_not_read_is_told_by_its_name(string kind, int at, string magic)
    {
        byte[] bytes = new byte[Mebibyte];
        Convert.FromHexString(magic).CopyTo(bytes, at);

        PartContent content = Assert.Single((await OpenAsync(bytes)).Volumes).Content;

        Assert.Equal((kind, BackupErrorId.VolumeUnsupported), (content.Kind, content.Error!.Id));
        Assert.Contains("not read", content.Error.Message, StringComparison.Ordinal);
        Assert.Null((await OpenAsync(bytes[..(at + 3)])).Volumes.SingleOrDefault()?.Content.Kind);
    }

    [Fact]
    public async Task Altered_tables_give_partitions_or_an_error()
    {
        foreach (byte[] disk in (byte[][])[Gpt(), Mbr()])
        {
            int[] places = [.. Enumerable.Range(446, 66), .. Enumerable.Range(512, 92), .. Enumerable.Range(1024, 512), .. Enumerable.Range((4 * Mebibyte) + 446, 66), .. Enumerable.Range((7 * Mebibyte) + 446, 66)];
            for (int round = 0; round < 300; round++)
            {
                var random = new Random(round);
                byte[] copy = disk[..];
                for (int i = random.Next(1, 6); i > 0; i--)
                {
                    copy[places[random.Next(places.Length)]] = (byte)random.Next(256);
                }

                try
                {
                    Disk read = await Disk.OpenAsync(new MemoryImage(copy, mostRead: 256L << 20), TestContext.Current.CancellationToken);
                    Assert.InRange(read.Volumes.Count, 0, 600);
                }
                catch (BackupException e)
                {
                    Assert.Equal(BackupErrorId.VolumeCorrupt, e.Id);
                }
            }
        }
    }

    internal static void RequireTool(string tool, string package) =>
        Assert.SkipWhen(!OperatingSystem.IsLinux() || Shell.Run("sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin; command -v {tool}").ExitCode != 0, $"There is no {tool}: install {package}.");

    private static Task<Disk> OpenAsync(byte[] disk) => Disk.OpenAsync(new MemoryImage(disk), TestContext.Current.CancellationToken);

    private byte[] Gpt()
    {
        RequireTool("sgdisk", "gdisk");
        string image = _folder["gpt"];
        File.WriteAllBytes(image, new byte[16 * Mebibyte]);
        Shell.RunChecked(
            "sgdisk", "-n", "1:8M:+4M", "-c", "1:root", "-n", "2:1M:+4M", "-t", "2:ef00", "-c", "2:EFI ümläut", "-n", "7:12M:+2M", "-t", "7:8200", image);
        return File.ReadAllBytes(image);
    }

    private byte[] Mbr()
    {
        RequireTool("sfdisk", "fdisk");
        File.WriteAllBytes(_folder["disk"], new byte[32 * Mebibyte]);
        Feed("sfdisk -q", _folder["disk"], "label: dos\n1 : start=2048, size=4096, type=83, bootable\n2 : start=8192, size=24576, type=5\n3 : start=40960, size=8192, type=c\n"
            + "5 : start=10240, size=4096, type=83\n6 : start=16384, size=4096, type=82\n7 : start=22528, size=4096, type=7\n");
        return File.ReadAllBytes(_folder["disk"]);
    }

    private void Feed(string command, string disk, string input)
    {
        File.WriteAllText(_folder["input"], input);
        Shell.RunChecked("sh", "-c", $"{command} '{disk}' < '{_folder["input"]}'");
    }
}
