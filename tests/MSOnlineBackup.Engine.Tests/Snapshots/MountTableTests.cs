using System.Text;
using MSOnlineBackup.Platform.Unix;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

public sealed class MountTableTests
{
    [Fact]
    public void Mounts_are_read_with_what_their_names_hide()
    {
        MountedVolume[] mounts =
        [
            .. MountTable.Parse(
            [
                "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard",
                @"36 22 0:33 /@home /srv/my\040disk ro,noatime shared:2 master:1 - btrfs /dev/sdb1 rw,subvol=/@home",
                "40 22 0:40 / /mnt/image rw - xfs /dev/loop0 ro,norecovery",
                "a line of a later kernel",
                "",
            ]),
        ];

        Assert.Equal([(22UL, "ext4", "/dev/vda", "254:0", false), (36UL, "btrfs", "/dev/sdb1", "0:33", false), (40UL, "xfs", "/dev/loop0", "0:40", true)],
            mounts.Select(mount => (mount.Id, mount.FileSystem, mount.Device, mount.DeviceNumber, mount.IsReadOnly)));
        Assert.Equal(("/srv/my disk", "/@home"), (Encoding.UTF8.GetString(mounts[1].Point), Encoding.UTF8.GetString(mounts[1].Root)));
    }
}
