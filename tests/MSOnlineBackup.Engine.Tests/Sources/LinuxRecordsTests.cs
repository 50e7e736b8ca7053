using System.Text;
using MSOnlineBackup.Platform.Unix;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>What the kernel writes, as it was recorded.</summary>
public sealed class LinuxRecordsTests
{
    [Fact]
    public void A_mount_is_found_in_the_mount_table_with_or_without_optional_fields()
    {
        string[] lines =
        [
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
            "2 22 0:5 / /proc rw,nosuid - proc proc rw",
            "31 22 0:45 / /home/u/remote\\040disk rw shared:12 master:3 - fuse.sshfs host:/ rw",
            "garbage",
        ];

        Assert.Equal("ext4", LinuxFileSystems.NameOf(22, lines));
        Assert.Equal("proc", LinuxFileSystems.NameOf(2, lines));
        Assert.Equal("fuse.sshfs", LinuxFileSystems.NameOf(31, lines));
        Assert.Null(LinuxFileSystems.NameOf(3, lines));
    }

    [Fact]
    public void Directory_records_are_read_and_sorted_without_the_folder_itself_and_its_parent()
    {
        // linux_dirent64 of a folder with "b", ".", "a\xff", "..": inode, offset, length, type, name.
        byte[] records = Convert.FromHexString(
            "0100000000000000" + "0100000000000000" + "1800" + "08" + "6200000000"
            + "0200000000000000" + "0200000000000000" + "1800" + "04" + "2e00000000"
            + "0300000000000000" + "0300000000000000" + "1800" + "08" + "61ff000000"
            + "0400000000000000" + "0400000000000000" + "1800" + "04" + "2e2e000000");
        var listing = new DirectoryListing();

        Assert.True(LinuxSystem.TryParse(records, listing));
        listing.Sort();
        Assert.Equal(2, listing.Count);
        Assert.Equal([0x61, 0xFF], listing[0].ToArray());
        Assert.Equal("b", Encoding.UTF8.GetString(listing[1]));
        Assert.True(listing.Contains("b"u8));
        Assert.False(listing.Contains("."u8));
    }

    [Theory]
    [InlineData(1u, 3u, 0x103UL)]
    [InlineData(8u, 17u, 0x811UL)]
    [InlineData(259u, 0x12345u, 0x12310345UL)]
    [InlineData(0x12345u, 0u, 0x1200000034500UL)]
    public void Device_numbers_are_encoded_as_the_system_does(uint major, uint minor, ulong expected) =>
        Assert.Equal(expected, LinuxSystem.ToDevice(((ulong)major << 32) | minor));

    [Fact]
    public void A_name_that_is_told_twice_is_there_once()
    {
        var listing = new DirectoryListing();
        foreach (string name in new[] { "b", "a", "b", "a-long-name", "a", "b" })
        {
            listing.TryAdd(Encoding.UTF8.GetBytes(name));
        }

        listing.Sort();

        Assert.Equal(["a", "a-long-name", "b"], Enumerable.Range(0, listing.Count).Select(i => Encoding.UTF8.GetString(listing[i])));
    }
}
