using System.Diagnostics;
using System.Net.Sockets;
using MSOnlineBackup.Campaigns.Disks;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A Debian machine that <c>obengine image start</c> boots from a recovery point.</summary>
public sealed class InstantGuestTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_boots_from_the_vault_outlives_who_serves_it_and_boots_again_from_its_images()
    {
        string? missing = await GuestSystem.FindMissingAsync("qemu-system-x86_64", "qemu-img", "qemu-io");
        Assert.SkipWhen(missing is not null, missing ?? "");
        using var sockets = new TempFolder();
        await using var point = new StartedPoint
        {
            Options =
            [
                "--memory", "512M", "--qemu-option", "accel tcg", "--qemu-option", "display none", "--qemu-option", $"chardev file,id=console,path={sockets["console"]}", "--qemu-option", "serial chardev:console",
                "--qemu-option", $"chardev socket,id=shell,path={sockets["shell"]}", "--qemu-option", "serial chardev:shell",
            ],
        };
        TempFolder folder = point.Obengine.Folder;
        Directory.CreateDirectory(folder["srv"]);
        foreach ((string name, int length) in new[] { ("known", 3_000_000), ("late", 20_000_000) })
        {
            byte[] data = new byte[length];
            new Random(length).NextBytes(data);
            await File.WriteAllBytesAsync(folder["srv", name], data, Stop);
        }

        string late = await MachinePoint.HashAsync(folder["srv", "late"]);
        Run made = await GuestSystem.RunAsync(GuestSystem.Script("disk.sh"), folder["vda.raw"], folder["srv"]);
        Assert.True(made.ExitCode == 0, made.ToString());
        await point.BackUpAsync("vda.raw");

        using Socket listening = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listening.Bind(new UnixDomainSocketEndPoint(sockets["shell"]));
        listening.Listen();
        var clock = Stopwatch.StartNew();
        Process command = point.Begin("--disk-limit", "1M");
        using var shell = new StreamReader(new NetworkStream(await listening.AcceptAsync(Stop), ownsSocket: true));
        await StartedPoint.WaitForRunningAsync(command);
        TimeSpan running = clock.Elapsed;
        Assert.Equal("ready", await shell.ReadLineAsync(Stop));
        TimeSpan booted = clock.Elapsed;
        string written = await RunAsync(shell, "head -c 5000000 /dev/urandom > /srv/written; sync; sha256sum < /srv/written");

        // Whoever serves it is killed, and it reads what is not in: it waits, and then stands still. It sees no error.
        await StartedPoint.KillAsync(command);
        Task<string> reading = RunAsync(shell, "echo 3 > /proc/sys/vm/drop_caches; sha256sum < /srv/late");
        while (await point.StatusAsync() != "io-error")
        {
            await Task.Delay(200, Stop);
        }

        Process again = point.Begin();
        await StartedPoint.FinishAsync(again);
        Assert.StartsWith(late, await reading, StringComparison.Ordinal);

        // Nobody serves it any more.
        Assert.Equal(written, await RunAsync(shell, "echo 3 > /proc/sys/vm/drop_caches; sha256sum < /srv/written"));
        Assert.StartsWith(late, await RunAsync(shell, "sha256sum < /srv/late"), StringComparison.Ordinal);
        await RunAsync(shell, "busybox find / -xdev -type f -exec cat {} + > /dev/null; sync");
        await point.QuitAsync();
        Shell.RunChecked("qemu-img", "check", "-q", Path.Combine(point.Folder, "vda.qcow2"));

        clock.Restart();
        Shell.RunChecked("/bin/sh", Path.Combine(point.Folder, "start.sh"));
        using var second = new StreamReader(new NetworkStream(await listening.AcceptAsync(Stop), ownsSocket: true));
        Assert.Equal("ready", await second.ReadLineAsync(Stop));
        TestContext.Current.TestOutputHelper?.WriteLine($"Runs after {running.TotalSeconds:F1} s, booted from the vault after {booted.TotalSeconds:F1} s, from its images after {clock.Elapsed.TotalSeconds:F1} s.");
        Assert.Equal(written, await RunAsync(second, "sha256sum < /srv/written"));
        await point.QuitAsync();
    }

    private static async Task<string> RunAsync(StreamReader shell, string command)
    {
        await shell.BaseStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(command + "\n"), Stop);
        var output = new List<string>();
        while (true)
        {
            string line = await shell.ReadLineAsync(Stop) ?? throw new EndOfStreamException("The machine is gone.");
            if (line.StartsWith("ended ", StringComparison.Ordinal))
            {
                Assert.True(line == "ended 0", $"'{command}' {line}: {string.Join('\n', output)}");
                return string.Join('\n', output);
            }

            output.Add(line);
        }
    }
}
