using System.Buffers.Binary;
using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Tests.Partitions;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Fat;

/// <summary>Images made by mkfs.exfat and filled by the file system of FUSE, which another project wrote.</summary>
public sealed class ExFatVolumeTests : IDisposable
{
    private const int EntryLength = 32;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("-c 4096", 24)]
    [InlineData("-c 32768", 64)]
    [InlineData("-c 512", 24)]
    public async Task What_is_read_is_what_the_mount_shows(string options, int mebibytes)
    {
        SortedDictionary<string, string> expected = Make(options, mebibytes, root =>
        {
            FatTree.Fill(root);

            // By turns, so that neither is in one piece.
            using FileStream one = File.Create(Path.Combine(root, "one"));
            using FileStream other = File.Create(Path.Combine(root, "other"));
            for (int i = 0; i < 40; i++)
            {
                one.Write(new byte[33_000].Select((_, at) => (byte)(at + i)).ToArray());
                one.Flush();
                other.Write(new byte[33_000].Select((_, at) => (byte)(at * i)).ToArray());
                other.Flush();
            }
        });

        using var content = new ImageFile(_folder["image"]);
        IFileVolume volume = await MountedTree.OpenAsync(content);

        Assert.Equal(("exfat", "Ä label", "1234-ABCD"), (volume.Kind, volume.Label, volume.Id));
        MountedTree.AssertSame(expected, await MountedTree.OfAsync(volume, FatVolumeTests.Fields));
        VolumeItem few = (await FatVolumeTests.FindAsync(volume, volume.Root, "FEW"))!;
        Assert.Equal("letters"u8.ToArray(), await MountedTree.ReadAsync(volume, (await FatVolumeTests.FindAsync(volume, few, "ÜMLÄUT €URO"))!));
        Assert.Null(await FatVolumeTests.FindAsync(volume, few, "another"));
    }

    [Fact]
    public async Task What_was_reserved_and_never_written_is_zeroes_and_a_zone_counts()
    {
        Make("-c 4096", 8, root => File.WriteAllBytes(Path.Combine(root, "file"), [.. Enumerable.Repeat((byte)7, 10_000)]));
        byte[] image = await File.ReadAllBytesAsync(_folder["image"], TestContext.Current.CancellationToken);
        IFileVolume volume = await MountedTree.OpenAsync(new MemoryImage(image));
        VolumeItem before = (await FatVolumeTests.FindAsync(volume, volume.Root, "file"))!;
        int stream = (int)before.Id * EntryLength;
        BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(stream + 8), 6000);
        image[stream - EntryLength + 0x15] = 150;

        // Nine and a half hours behind UTC.
        image[stream - EntryLength + 0x17] = 0x80 | (0x80 - 38);
        Sign(image, stream - EntryLength);

        volume = await MountedTree.OpenAsync(new MemoryImage(image));
        VolumeItem item = (await FatVolumeTests.FindAsync(volume, volume.Root, "file"))!;

        byte[] expected = [.. Enumerable.Repeat((byte)7, 6000), .. new byte[4000]];
        Assert.Equal(expected, await MountedTree.ReadAsync(volume, item));
        Assert.Equal(500_000_000, item.Modified.Nanoseconds);
        Assert.InRange(item.Modified.Seconds - before.Modified.Seconds - (long)(9.5 * 3600), -1, 1);
    }

    [Fact]
    public async Task A_wrong_checksum_is_damage_of_that_file_alone()
    {
        Make("-c 4096", 8, root =>
        {
            File.WriteAllText(Path.Combine(root, "first"), "1");
            File.WriteAllText(Path.Combine(root, "second"), "2");
        });
        byte[] image = await File.ReadAllBytesAsync(_folder["image"], TestContext.Current.CancellationToken);
        IFileVolume volume = await MountedTree.OpenAsync(new MemoryImage(image));
        image[((int)(await FatVolumeTests.FindAsync(volume, volume.Root, "first"))!.Id * EntryLength) + 4] ^= 1;

        volume = await MountedTree.OpenAsync(new MemoryImage(image));

        Assert.NotNull(await FatVolumeTests.FindAsync(volume, volume.Root, "second"));
        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await FatVolumeTests.FindAsync(volume, volume.Root, "first"));
        Assert.Equal(BackupErrorId.VolumeCorrupt, error.Id);
        image[120] ^= 1;
        Assert.Equal(BackupErrorId.VolumeCorrupt, Assert.Single((await Disk.OpenAsync(new MemoryImage(image), TestContext.Current.CancellationToken)).Volumes).Content.Error!.Id);
    }

    [Fact]
    public async Task Altered_images_give_values_or_errors()
    {
        Make("-c 512", 4, root =>
        {
            Directory.CreateDirectory(Path.Combine(root, "a", "b"));
            string many = Directory.CreateDirectory(Path.Combine(root, "many")).FullName;
            for (int i = 0; i < 40; i++)
            {
                File.WriteAllText(Path.Combine(many, $"a name of some length {i}"), "content");
            }
        });
        byte[] image = await File.ReadAllBytesAsync(_folder["image"], TestContext.Current.CancellationToken);

        await Damage.TryAsync(image, Campaign.Rounds(usual: 250, full: 50_000));
        await Damage.CutAsync(image, 20);
    }

    private static void Sign(byte[] image, int set)
    {
        ushort sum = 0;
        for (int i = 0; i < EntryLength * (1 + image[set + 1]); i++)
        {
            sum = i is 2 or 3 ? sum : (ushort)(ushort.RotateRight(sum, 1) + image[set + i]);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(set + 2), sum);
    }

    // What the mount showed when it was filled.
    private SortedDictionary<string, string> Make(string options, int mebibytes, Action<string> fill)
    {
        PartitionTableTests.RequireTool("mkfs.exfat", "exfatprogs");
        PartitionTableTests.RequireTool("mount.exfat-fuse", "exfat-fuse");
        Assert.SkipUnless(Shell.IsLinuxRoot && File.Exists("/dev/fuse"), "Needs root on Linux and FUSE: it mounts an image.");
        using (FileStream file = File.Create(_folder["image"]))
        {
            file.SetLength((long)mebibytes << 20);
        }

        string mount = Directory.CreateDirectory(_folder["mount"]).FullName;
        Shell.RunChecked("env", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", $"mkfs.exfat {options} -L 'Ä label' '{_folder["image"]}' && tune.exfat -I 0x1234ABCD '{_folder["image"]}'");
        string device = Shell.RunChecked("losetup", "--find", "--show", _folder["image"]).Trim();
        try
        {
            Shell.RunChecked("env", "LC_ALL=C.UTF-8", "TZ=UTC", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "mount.exfat-fuse", device, mount);
            try
            {
                fill(mount);
                return MountedTree.Of(mount, "%T@");
            }
            finally
            {
                // Of a block device it returns when all is written.
                Shell.RunChecked("umount", mount);
            }
        }
        finally
        {
            Shell.RunChecked("losetup", "--detach", device);
        }
    }
}
