using System.Text.Json;
using MSOnlineBackup.Campaigns.Machines;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Machines that start from a point over NBD: their disk is nowhere else.</summary>
/// <param name="point">The point.</param>
public sealed class MachinePointTests(MachinePoint point) : IClassFixture<MachinePoint>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_starts_from_the_point_and_writes_beside_it()
    {
        point.Require();
        await using ServedDisk served = await point.ServeAsync();
        string overlay = CreateOverlay("first.qcow2", served.Address);

        string written;
        await using (StartedMachine machine = await StartedMachine.StartAsync(overlay))
        {
            AssertStarted(machine, times: 1);
            written = await machine.RunAsync("head -c 20000000 /dev/urandom > /srv/written; rm /srv/late; sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum < /srv/written");
            await machine.SwitchOffAsync();
        }

        // It goes on from what it has written.
        await using (StartedMachine machine = await StartedMachine.StartAsync(overlay))
        {
            AssertStarted(machine, times: 2);
            Assert.Equal(written, await machine.RunAsync("sha256sum < /srv/written"));
            Assert.Equal("known\nwritten", await machine.RunAsync("ls -1 /srv"));
            await machine.SwitchOffAsync();
        }

        // Nothing of that is in the point, and nobody else writes there either.
        Assert.Contains("Permission denied", Refused("qemu-io", "-f", "raw", "-c", "write 0 512", served.Address), StringComparison.Ordinal);
        Assert.Contains("read-only", Refused("nbdcopy", point.Folder["passphrase"], served.Address), StringComparison.Ordinal);
        string restored = await point.RestoreAsync();
        Assert.Equal(point.Hash, await MachinePoint.HashAsync(restored));
        Assert.Contains("Images are identical", Shell.RunChecked("qemu-img", "compare", "-f", "raw", "-F", "raw", served.Address, restored), StringComparison.Ordinal);
        await served.EndAsync();
    }

    [Fact]
    public async Task A_machine_outlives_its_server_waiting_for_the_next_and_without_any_once_it_has_all()
    {
        point.Require();
        string socket = point.Folder["disk.sock"];
        await using ServedDisk first = await point.ServeAsync("--socket", socket);
        string backing = $$$"""json:{"driver":"raw","file":{"driver":"nbd","server":{"type":"unix","path":"{{{socket}}}"},"reconnect-delay":300}}""";
        await using StartedMachine machine = await StartedMachine.StartAsync(CreateOverlay("second.qcow2", backing));
        AssertStarted(machine, times: 1);

        // It reads while there is no server, and gets what it reads when there is one again.
        await first.EndAsync();
        Task<string> reading = machine.RunAsync("head -c 10000000 /srv/late > /dev/null; sha256sum < /srv/late");
        await using ServedDisk second = await point.ServeAsync("--socket", socket);
        Assert.StartsWith(point.Late, await reading, StringComparison.Ordinal);

        // It takes over all that it has not read, and then needs no server.
        await machine.Monitor.ExecuteAsync("block-stream", new Dictionary<string, string> { ["job-id"] = "all", ["device"] = "disk" }, Stop);
        await machine.RunAsync("head -c 5000000 /dev/urandom > /srv/written; sync");
        JsonElement streamed = (await machine.Monitor.WaitForAsync("BLOCK_JOB_COMPLETED", Stop)).GetProperty("data");
        Assert.True(!streamed.TryGetProperty("error", out _) && streamed.GetProperty("offset").GetInt64() == streamed.GetProperty("len").GetInt64(), streamed.ToString());
        await second.KillAsync();
        await machine.RunAsync("echo 3 > /proc/sys/vm/drop_caches");
        Assert.StartsWith(point.Known, await machine.RunAsync("sha256sum < /srv/known"), StringComparison.Ordinal);
        Assert.StartsWith(point.Late, await machine.RunAsync("sha256sum < /srv/late"), StringComparison.Ordinal);
        await machine.RunAsync("busybox find / -xdev -type f -exec cat {} + > /dev/null");
        await machine.SwitchOffAsync();

        string overlay = point.Folder["second.qcow2"];
        Assert.DoesNotContain("backing", Shell.RunChecked("qemu-img", "info", overlay), StringComparison.Ordinal);
        Assert.Contains("No errors were found", Shell.RunChecked("qemu-img", "check", overlay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_whose_vault_goes_away_stands_still_and_goes_on_when_it_is_back()
    {
        point.Require();
        await using ServedDisk served = await point.ServeAsync();
        await using StartedMachine machine = await StartedMachine.StartAsync(CreateOverlay("third.qcow2", served.Address));
        AssertStarted(machine, times: 1);

        Directory.Move(point.Vault, point.Vault + ".away");
        Task<string> reading;
        try
        {
            reading = machine.RunAsync("sha256sum < /srv/late");
            JsonElement failed = (await machine.Monitor.WaitForAsync("BLOCK_IO_ERROR", Stop)).GetProperty("data");

            // A write to a part of a cluster reads the rest of it from the point, and may be the first to need the vault.
            Assert.Equal("stop", failed.GetProperty("action").GetString());
            await machine.Monitor.WaitForAsync("STOP", Stop);
        }
        finally
        {
            Directory.Move(point.Vault + ".away", point.Vault);
        }

        await machine.Monitor.ExecuteAsync("cont", new { }, Stop);
        Assert.StartsWith(point.Late, await reading, StringComparison.Ordinal);
        await machine.SwitchOffAsync();
    }

    private void AssertStarted(StartedMachine machine, int times) =>
        Assert.Contains($"MACHINE STARTED root=/dev/vda1,ext4 starts={times} known={point.Known}\n", machine.Console, StringComparison.Ordinal);

    private string CreateOverlay(string name, string backing)
    {
        Shell.RunChecked("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", backing, point.Folder[name]);
        return point.Folder[name];
    }

    private static string Refused(string program, params string[] arguments)
    {
        (int code, string output) = Shell.Run(program, arguments);
        Assert.NotEqual(0, code);
        return output;
    }
}
