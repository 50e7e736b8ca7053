using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

public sealed class DiskPartTests
{
    [Theory]
    [InlineData(100, 100, "", "0-100k")]
    [InlineData(100, 100, "35+1", "0-30k 30-40 40-100k")]
    [InlineData(100, 100, "0+1 5+40 61+1", "0-10 10-50 50-60k 60-70 70-100k")]
    [InlineData(105, 105, "104+1", "0-100k 100-105")]
    [InlineData(100, 55, "", "0-50k 50-100")]
    [InlineData(100, 55, "10+5 52+1 70+30", "0-10k 10-20 20-50k 50-100")]
    [InlineData(55, 100, "40+2 70+30", "0-40k 40-50 50-55k")]
    [InlineData(55, 100, "5+90", "0-55")]
    [InlineData(100, 0, "1+1", "0-100")]
    [InlineData(0, 100, "1+1", "")]
    public void A_disk_is_divided_at_its_grid(long length, long earlier, string written, string parts)
    {
        (long, long)[] extents = [.. written.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(each => each.Split('+')).Select(each => (long.Parse(each[0]), long.Parse(each[1])))];

        IEnumerable<DiskPart> divided = DiskPart.Divide(length, earlier, new DiskChanges(default, extents), 10);

        Assert.Equal(parts, string.Join(' ', divided.Select(part => $"{part.Start}-{part.End}{(part.IsKnown ? "k" : "")}")));
    }

    [Fact]
    public void An_extent_that_ends_nowhere_is_cut()
    {
        IEnumerable<DiskPart> divided = DiskPart.Divide(100, 100, new DiskChanges(default, [(95, long.MaxValue - 95)]), 10);

        Assert.Equal([new DiskPart(0, 90, true), new DiskPart(90, 100, false)], divided);
        Assert.Equal(long.MaxValue - (long.MaxValue % 10), DiskPart.RoundUp(long.MaxValue - 1, 10));
    }
}
