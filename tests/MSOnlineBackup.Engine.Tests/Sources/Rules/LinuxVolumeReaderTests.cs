using System.Text;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources.Rules;

/// <summary>Volumes as mountinfo, /sys, /dev and fstab of other machines tell of them.</summary>
public sealed class LinuxVolumeReaderTests : IDisposable
{
    private static readonly string[] _mounts =
    [
        "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw",
        "30 22 8:17 / /media/stick rw,nosuid - vfat /dev/sdb1 rw",
        "31 22 253:0 / /secret rw - xfs /dev/mapper/secret rw",
        "32 22 0:44 /@ /pool rw - btrfs /dev/sdb1 rw,subvol=/@",
        "33 22 147:0 / /srv/drbd rw - ext4 /dev/drbd0 rw",
        "34 22 11:0 / /media/disc ro - iso9660 /dev/sr0 ro",
        "35 22 8:33 / /mnt/resource rw - ext4 /dev/sdc1 rw",
        "36 22 259:0 / /instance rw - xfs /dev/nvme1n1 rw",
        "37 22 8:2 /srv/plain /view ro,relatime - ext4 /dev/sda2 rw",
        "38 22 0:50 / /nas rw - nfs4 nas:/export rw",
        "39 22 179:1 / /media/card rw - exfat /dev/mmcblk0p1 rw",
        "40 22 0:51 / /nas rw - cifs //nas/share rw",
        @"41 22 8:18 / /media/my\040stick rw - vfat /dev/sdb2 rw",
    ];

    private readonly TempFolder _root = new();

    public LinuxVolumeReaderTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links, and paths that begin with '/'.");
        Disk("sda", "8:0", removable: false);
        Partition("sda", "sda2", "8:2");
        Disk("sdb", "8:16", removable: true, model: "Flash Disk");
        Partition("sdb", "sdb1", "8:17");
        Partition("sdb", "sdb2", "8:18");
        Disk("sdc", "8:32", removable: false, model: "Virtual Disk");
        Partition("sdc", "sdc1", "8:33");
        Disk("dm-0", "253:0", removable: false);
        Slave("dm-0", "sdb/sdb1");
        Disk("drbd0", "147:0", removable: false);
        Disk("sr0", "11:0", removable: true);
        Disk("nvme1n1", "259:0", removable: false, model: "Amazon EC2 NVMe Instance Storage         ");
        Disk("mmcblk0", "179:0", removable: false);
        Partition("mmcblk0", "mmcblk0p1", "179:1");
        Write("sys/devices/mmcblk0/device/type", "SD\n");
        Write("dev/sdb1", "");
        Write("dev/sdc1", "");
        foreach (string folder in new[] { "media/stick", "secret", "pool", "srv/drbd", "media/disc", "mnt/resource", "instance", "view", "nas", "media/card", "srv/plain" })
        {
            Directory.CreateDirectory(_root[folder]);
        }
    }

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("/srv/plain/folder", "/", false, false)]
    [InlineData("/media/stick", "/media/stick", true, false)]
    [InlineData("/media/stick/photos", "/media/stick", true, false)]
    [InlineData("/media/sticker", "/", false, false)]
    [InlineData("/media/my stick/x", "/media/my stick", true, false)]
    [InlineData("/secret/letters", "/secret", true, false)]
    [InlineData("/pool", "/pool", true, false)]
    [InlineData("/media/card", "/media/card", true, false)]
    [InlineData("/media/disc", "/media/disc", true, true)]
    [InlineData("/view/a", "/view", false, true)]
    [InlineData("/nas/a", "/nas", false, false)]
    public void The_mount_and_the_disks_beneath_it_are_found(string path, string place, bool isRemovable, bool isReadOnly)
    {
        VolumeDescription volume = Read(path);

        Assert.Equal((place, isRemovable, isReadOnly), (volume.Place, volume.IsRemovable, volume.IsReadOnly));
    }

    [Fact]
    public void Of_two_mounts_at_one_place_the_later_one_is_seen() => Assert.Equal("cifs", Read("/nas/a").FileSystem);

    [Fact]
    public void Partitions_and_mapped_devices_lead_to_their_disks()
    {
        Assert.Equal(["sda2", "sda"], Read("/srv/plain").Devices);
        Assert.Equal(["dm-0", "sdb1", "sdb"], Read("/secret").Devices);
        Assert.Equal(["Flash Disk"], Read("/secret").DiskModels);
        Assert.Equal(["drbd0"], Read("/srv/drbd").Devices);
        Assert.True(Read("/media/disc").IsOptical);
        Assert.Equal(Read("/view").Device, Read("/srv/plain").Device);
    }

    [Fact]
    public void A_temporary_disk_is_known_by_its_model_its_link_or_the_file_on_it()
    {
        Assert.Equal(["Amazon EC2 NVMe Instance Storage"], Read("/instance").DiskModels);
        Assert.False(Read("/mnt/resource").IsMarkedTemporary);

        Write("mnt/resource/DATALOSS_WARNING_README.txt", "");
        Assert.True(Read("/mnt/resource/x").IsMarkedTemporary);
        File.Delete(_root["mnt/resource/DATALOSS_WARNING_README.txt"]);

        Directory.CreateDirectory(_root["dev/disk/azure"]);
        Write("dev/sdc", "");
        File.CreateSymbolicLink(_root["dev/disk/azure/resource"], "../../sdc");
        Assert.True(Read("/mnt/resource").IsMarkedTemporary);
        Assert.False(Read("/srv/plain").IsMarkedTemporary);
    }

    [Fact]
    public void A_configured_volume_that_is_not_mounted_is_missed_where_nothing_is_in_its_place()
    {
        Write("etc/fstab", "# /dev/x /y ext4\n/dev/mapper/vault /srv/vault ext4 defaults 0 2\nUUID=1\t/srv/my\\040data\text4\nUUID=2 none swap sw\n/dev/sdb1 /media/stick vfat\n");
        Write("etc/crypttab", "# a comment\nvault UUID=3 none luks\n");
        Directory.CreateDirectory(_root["srv/vault"]);
        Directory.CreateDirectory(_root["srv/my data"]);

        Assert.Equal(new ConfiguredMount("/srv/vault", "/dev/mapper/vault", IsEncrypted: true), Read("/srv/vault").NotMounted);
        Assert.Equal("/srv/vault", Read("/srv/vault/letters").NotMounted?.Point);
        Assert.Equal(new ConfiguredMount("/srv/my data", "UUID=1", IsEncrypted: false), Read("/srv/my data").NotMounted);
        Assert.Null(Read("/media/stick").NotMounted);
        Assert.Null(Read("/srv/plain").NotMounted);

        Write("srv/vault/file", "of an ordinary folder");
        Assert.Null(Read("/srv/vault").NotMounted);
    }

    [Fact]
    public void A_locked_private_folder_is_known_by_what_it_shows()
    {
        Directory.CreateDirectory(_root["srv/home"]);
        Assert.Null(Read("/srv/home").LockedBy);

        File.CreateSymbolicLink(_root["srv/home/Access-Your-Private-Data.desktop"], "/usr/share/ecryptfs-utils/ecryptfs-mount-private.desktop");

        Assert.Equal("eCryptfs", Read("/srv/home").LockedBy);
    }

    [Fact]
    public void The_real_table_tells_of_a_real_path()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"), "A file system in memory, as Linux has it.");

        VolumeDescription? volume = new LinuxVolumeReader(MountTable.Read()).Read("/dev/shm"u8.ToArray());

        Assert.Equal(("/dev/shm", "tmpfs"), (volume!.Place, volume.FileSystem));
    }

    private VolumeDescription Read(string path) =>
        new LinuxVolumeReader([.. MountTable.Parse(_mounts)], _root.Path).Read(Encoding.UTF8.GetBytes(path))!;

    private void Disk(string name, string numbers, bool removable, string? model = null)
    {
        Write($"sys/devices/{name}/removable", removable ? "1\n" : "0\n");
        if (model is not null)
        {
            Write($"sys/devices/{name}/device/model", model + "\n");
        }

        Link(name, numbers, $"devices/{name}");
    }

    private void Partition(string disk, string name, string numbers)
    {
        Write($"sys/devices/{disk}/{name}/partition", "1\n");
        Link(name, numbers, $"devices/{disk}/{name}");
    }

    private void Slave(string name, string device)
    {
        Directory.CreateDirectory(_root[$"sys/devices/{name}/slaves"]);
        Directory.CreateSymbolicLink(_root[$"sys/devices/{name}/slaves/{Path.GetFileName(device)}"], $"../../{device}");
    }

    private void Link(string name, string numbers, string place)
    {
        Directory.CreateDirectory(_root["sys/dev/block"]);
        Directory.CreateDirectory(_root["sys/class/block"]);
        Directory.CreateSymbolicLink(_root[$"sys/dev/block/{numbers}"], $"../../{place}");
        Directory.CreateSymbolicLink(_root[$"sys/class/block/{name}"], $"../../{place}");
    }

    private void Write(string file, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[file])!);
        File.WriteAllText(_root[file], content);
    }
}
