using System.Globalization;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Clients of NBD as they are installed, against the server.</summary>
public sealed class NbdClientTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nbdcopy_copies_a_disk_byte_for_byte_with_its_holes(bool overSocket)
    {
        await using var point = new ServedPoint("nbdcopy", "nbdinfo");
        await using NbdServer server = await ServeAsync(point, overSocket);

        Shell.RunChecked("nbdcopy", server.Address, point.Folder["copy"]);
        Assert.Empty(Shell.Run("cmp", point.Source + "/disk.raw", point.Folder["copy"]).Output);
        Shell.RunChecked("nbdcopy", "--no-extents", server.Address, point.Folder["copy"]);
        Assert.Empty(Shell.Run("cmp", point.Source + "/disk.raw", point.Folder["copy"]).Output);
        Assert.Contains("hole,zero", Shell.RunChecked("nbdinfo", "--map", server.Address), StringComparison.Ordinal);
        Assert.Contains("can_multi_conn: true", Shell.RunChecked("nbdinfo", server.Address), StringComparison.Ordinal);
        Assert.Empty(point.Reported);
    }

    [Fact]
    public async Task Qemu_finds_the_disk_equal_to_the_image_starts_from_it_and_does_not_write_to_it()
    {
        await using var point = new ServedPoint("qemu-img", "qemu-io");
        await using NbdServer server = await ServeAsync(point, overSocket: false);

        Assert.Contains("identical", Shell.RunChecked("qemu-img", "compare", "-f", "raw", "-F", "raw", server.Address, point.Source + "/disk.raw"), StringComparison.Ordinal);
        Assert.NotEqual(0, Shell.Run("qemu-io", "-f", "raw", "-c", "write 0 512", server.Address).ExitCode);

        string overlay = point.Folder["overlay.qcow2"];
        Shell.RunChecked("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", server.Address, overlay);
        Shell.RunChecked("qemu-io", "-f", "qcow2", "-c", "write -P 7 5M 64k", "-c", "read -P 7 5M 64k", "-c", "read -P 0 20M 64k", overlay);
        Assert.Empty(point.Reported);
    }

    [Fact]
    public async Task A_damaged_range_is_an_error_of_its_own_and_the_rest_is_read()
    {
        await using var point = new ServedPoint("qemu-io", "nbdcopy");
        await using (NbdServer sound = await ServeAsync(point, overSocket: false))
        {
        }

        await point.DamageAsync();
        await using NbdServer server = NbdServer.Start(point.View, await FindAsync(point), new NbdOptions { Report = point.Report });

        int failed = 0;
        const int Size = 32 << 20;
        for (int offset = 0; offset < Size; offset += 1 << 20)
        {
            string output = Shell.Run("qemu-io", "-r", "-f", "raw", "-c", $"read {offset} 1M", server.Address).Output;
            failed += output.Contains("Input/output error", StringComparison.Ordinal) ? 1 : 0;
            Assert.True(output.Contains("Input/output error", StringComparison.Ordinal) || output.Contains("read 1048576/1048576", StringComparison.Ordinal), output);
        }

        Assert.InRange(failed, 1, (Size >> 20) - 1);
        Assert.NotEqual(0, Shell.Run("nbdcopy", server.Address, point.Folder["copy"]).ExitCode);
        Assert.NotEmpty(point.Reported);
    }

    // QEMU counts in sectors: it takes a disk that ends within one for longer, with zeroes.
    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(1_000_001)]
    public async Task A_disk_that_ends_within_a_sector_is_read_to_its_last_byte(int size)
    {
        await using var point = new ServedPoint("nbdcopy", "qemu-img");
        await using NbdServer server = await ServeAsync(point, overSocket: false, size, (0, size));
        string source = point.Source + "/disk.raw";

        Shell.RunChecked("nbdcopy", server.Address, point.Folder["copy"]);
        Assert.Equal(await File.ReadAllBytesAsync(source, Cancel), await File.ReadAllBytesAsync(point.Folder["copy"], Cancel));
        Assert.Contains("identical", Shell.RunChecked("qemu-img", "compare", "-f", "raw", "-F", "raw", server.Address, source), StringComparison.Ordinal);
        Shell.RunChecked("qemu-img", "convert", "-f", "raw", "-O", "raw", server.Address, point.Folder["converted"]);
        byte[] converted = await File.ReadAllBytesAsync(point.Folder["converted"], Cancel);
        Assert.Equal([.. await File.ReadAllBytesAsync(source, Cancel), .. new byte[(512 - (size % 512)) % 512]], converted);
    }

    // One request can be about 4 GiB at most.
    [Fact]
    public async Task Of_a_disk_of_terabytes_only_what_it_has_is_read()
    {
        await using var point = new ServedPoint("nbdinfo", "qemu-img", "qemu-io");
        await using NbdServer server = await ServeAsync(point, overSocket: false, 8L << 40, (1 << 30, 1 << 20), ((4L << 40) + 4096, 1 << 20), ((8L << 40) - 512, 512));

        long[][] map = [.. Shell.RunChecked("nbdinfo", "--map", server.Address).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..3].Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal([3, 0, 3, 0, 3, 0], map.Select(extent => extent[2]));
        Assert.Equal(8L << 40, map[^1][0] + map[^1][1]);
        Assert.Contains("identical", Shell.RunChecked("qemu-img", "compare", "-f", "raw", "-F", "raw", server.Address, point.Source + "/disk.raw"), StringComparison.Ordinal);
        Shell.RunChecked("qemu-io", "-r", "-f", "raw", "-c", "read -P 0 4294967295 100M", server.Address);
    }

    // It opens them all before it uses the first.
    [Fact]
    public async Task Nbdcopy_has_as_many_connections_as_it_likes_or_is_told_that_it_has_not()
    {
        await using var point = new ServedPoint("nbdcopy");
        await using NbdServer server = await ServeAsync(point, overSocket: false);

        Shell.RunChecked("nbdcopy", "--threads=32", "--connections=32", server.Address, point.Folder["copy"]);
        Assert.Empty(Shell.Run("cmp", point.Source + "/disk.raw", point.Folder["copy"]).Output);
        Assert.Contains("policy", Shell.Run("nbdcopy", "--threads=80", "--connections=80", server.Address, point.Folder["copy"]).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_that_are_killed_take_no_place_from_others()
    {
        await using var point = new ServedPoint("nbdcopy", "timeout");
        await using NbdServer server = await ServeAsync(point, overSocket: true);

        for (int i = 0; i < 100; i++)
        {
            Shell.Run("timeout", "--signal=KILL", $"0.{i % 50:00}1", "nbdcopy", "--connections=2", server.Address, point.Folder["copy"]);
        }

        Shell.RunChecked("nbdcopy", server.Address, point.Folder["copy"]);
        Assert.Empty(Shell.Run("cmp", point.Source + "/disk.raw", point.Folder["copy"]).Output);
        Assert.Empty(point.Reported);
    }

    private static Task<NbdServer> ServeAsync(ServedPoint point, bool overSocket) =>
        ServeAsync(point, overSocket, 32 << 20, (0, 3_000_000), (10 << 20, 6_000_000), (31 << 20, 1 << 20));

    private static async Task<NbdServer> ServeAsync(ServedPoint point, bool overSocket, long size, params (long Offset, long Length)[] data)
    {
        point.Tree.Sparse("disk.raw", size, data);
        await point.BackUpAsync();
        var options = new NbdOptions { SocketPath = overSocket ? point.Folder["disk.sock"] : null, Report = point.Report };
        return NbdServer.Start(point.View, await FindAsync(point), options);
    }

    private static async Task<ViewItem> FindAsync(ServedPoint point)
    {
        ViewItem item = point.View.Root;
        foreach (string name in $"{point.Source}/disk.raw".Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            item = (await point.View.FindAsync(item.Id, System.Text.Encoding.UTF8.GetBytes(name), Cancel))!;
        }

        return item;
    }
}
