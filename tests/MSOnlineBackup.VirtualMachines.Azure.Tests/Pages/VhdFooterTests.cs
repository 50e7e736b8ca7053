using System.Buffers.Binary;
using MSOnlineBackup.VirtualMachines.Azure.Pages;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests.Pages;

public sealed class VhdFooterTests
{
    [Theory]
    [InlineData(20L << 20)]
    [InlineData(30L << 30)]
    [InlineData(32L << 40)]
    public void It_is_one_of_a_fixed_disk_of_the_size_and_has_the_sum_of_its_bytes(long size)
    {
        byte[] footer = VhdFooter.Create(size, new DateTimeOffset(2000, 1, 1, 0, 1, 0, TimeSpan.Zero));

        Assert.True(VhdFooter.IsOf(footer, size));
        Assert.False(VhdFooter.IsOf(footer, size + 512));
        Assert.Equal((60u, 2u, size), (BinaryPrimitives.ReadUInt32BigEndian(footer.AsSpan(24)), BinaryPrimitives.ReadUInt32BigEndian(footer.AsSpan(60)), BinaryPrimitives.ReadInt64BigEndian(footer.AsSpan(40))));
        uint sum = BinaryPrimitives.ReadUInt32BigEndian(footer.AsSpan(64));
        footer.AsSpan(64, 4).Clear();
        Assert.Equal(~sum, (uint)footer.Sum(each => each));
    }

    [Fact]
    public void What_is_no_footer_is_none()
    {
        Assert.False(VhdFooter.IsOf(new byte[512], 0));
        Assert.False(VhdFooter.IsOf([], 0));
    }
}
