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

    private static async Task<NbdServer> ServeAsync(ServedPoint point, bool overSocket)
    {
        point.Tree.Sparse("disk.raw", 32 << 20, (0, 3_000_000), (10 << 20, 6_000_000), (31 << 20, 1 << 20));
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
