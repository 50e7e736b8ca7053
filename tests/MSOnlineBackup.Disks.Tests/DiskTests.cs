using MSOnlineBackup.Disks.Tests.Ext4;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Tests.Partitions;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests;

/// <summary>A disk with several partitions, each with something else.</summary>
public sealed class DiskTests : IDisposable
{
    private const int Mebibyte = 1 << 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_damaged_partition_is_told_and_the_others_are_opened()
    {
        foreach ((string tool, string package) in ((string, string)[])[("sgdisk", "gdisk"), ("mkfs.ext4", "e2fsprogs"), ("mkfs.vfat", "dosfstools"), ("mkswap", "util-linux"), ("debugfs", "e2fsprogs")])
        {
            PartitionTableTests.RequireTool(tool, package);
        }

        string disk = _folder["disk"];
        Zeroes(disk, 40);
        Run($"sgdisk -n 1:1M:+8M -n 2:10M:+8M -n 3:19M:+8M -n 4:28M:+4M -n 5:33M:+4M '{disk}'");
        Put("mkfs.ext4 -q -b 1024 -L first", 8, 1);
        Put("mkfs.ext4 -q -b 1024 -L second", 8, 10);
        Put("mkfs.vfat -n THIRD", 8, 19);
        Put("mkswap -q", 4, 28);
        byte[] bytes = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        bytes[(10 * Mebibyte) + 1024 + 0x20] ^= 1;

        Disk read = await Disk.OpenAsync(new MemoryImage(bytes), TestContext.Current.CancellationToken);

        Assert.Equal(
            ["1 ext4 first", "2 ext4 VolumeCorrupt", "3 vfat THIRD", "4 swap VolumeUnsupported", "5 empty VolumeUnsupported"],
            read.Volumes.Select(volume => $"{volume.Partition.Number} {volume.Content.Kind} {volume.Content.Files?.Label ?? $"{volume.Content.Error!.Id}"}"));
        BackupException error = Assert.Throws<BackupException>(() => read.Find(2).Content.RequireFiles());
        Assert.Contains("partition 2", error.Message, StringComparison.Ordinal);
        IFileVolume first = read.Find(1).Content.RequireFiles();
        Assert.NotNull(await Ext4VolumeTests.FindAsync(first, first.Root, "lost+found"));
    }

    private static void Run(string command) => Shell.RunChecked("sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin; {command}");

    private static void Zeroes(string path, int mebibytes)
    {
        using FileStream file = File.Create(path);
        file.SetLength((long)mebibytes * Mebibyte);
    }

    // Makes a file system, and puts it where a partition begins.
    private void Put(string command, int mebibytes, int at)
    {
        Zeroes(_folder["part"], mebibytes);
        Run($"{command} '{_folder["part"]}' && dd if='{_folder["part"]}' of='{_folder["disk"]}' bs=1M seek={at} conv=notrunc,sparse status=none");
    }
}
