using System.Globalization;
using MSOnlineBackup.Campaigns.Disks;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>
/// A Debian guest with the real guest agent, which starts from its first disk, and keeps a file on each of its two disks in step: whoever sees both at one moment sees one number, or the first ahead by one. It can be
/// killed and started again.
/// </summary>
/// <param name="folder">Where its disks and sockets are.</param>
internal sealed class SteppingGuest(TempFolder folder) : IAsyncDisposable
{
    /// <summary>The guest agent of this machine.</summary>
    public const string Agent = "/usr/sbin/qemu-ga";

    /// <summary>The file on the first disk.</summary>
    public const string First = "/srv/first";

    /// <summary>The file on the second disk.</summary>
    public const string Second = "/second";

    private const string Place = "/mnt";
    private const string Numbers = "D8";

    private StartedMachine? _machine;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Its first disk, a qcow2 image.</summary>
    public string Disk => folder["disk.qcow2"];

    /// <summary>Its second disk, a qcow2 image.</summary>
    public string SecondDisk => folder["second.qcow2"];

    /// <summary>The socket of its monitor.</summary>
    public string Monitor => folder["qmp"];

    /// <summary>The socket of its guest agent.</summary>
    public string AgentSocket => folder["agent"];

    /// <summary>The machine that runs.</summary>
    public StartedMachine Machine => _machine ?? throw new InvalidOperationException("It does not run.");

    /// <summary>Its disks as options of QEMU's after the first.</summary>
    /// <param name="second">The image of the second.</param>
    public static string[] WithSecond(string second) => ["-drive", $"if=none,id=second,file={second},format=qcow2", "-device", "virtio-blk-pci,drive=second"];

    /// <summary>Skips the test where there can be no such guest.</summary>
    public static async Task RequireAsync()
    {
        string? missing = await GuestSystem.FindMissingAsync("qemu-img", "debugfs", "dumpe2fs");
        Assert.SkipWhen(missing is not null, missing ?? "");
        Assert.SkipUnless(File.Exists(Agent), "Needs qemu-guest-agent.");
    }

    /// <summary>Makes its disks. The agent of this machine, with what it needs, runs there: both are of the same Debian, or it does not start.</summary>
    public async Task MakeAsync()
    {
        string files = Directory.CreateDirectory(folder["files"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "known"), "known", Stop);
        foreach (string file in Shell.RunChecked("ldd", Agent).Split([' ', '\n', '\t']).Where(word => word.StartsWith('/') && !word.Contains("ld-linux", StringComparison.Ordinal)).Append(Agent))
        {
            File.Copy(file, Path.Combine(files, Path.GetFileName(file)));
        }

        Run made = await GuestSystem.RunAsync(GuestSystem.Script("disk.sh"), folder["disk.raw"], files);
        Assert.True(made.ExitCode == 0, made.ToString());
        Shell.RunChecked("qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder["disk.raw"], Disk);
        File.Delete(folder["disk.raw"]);
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", SecondDisk, "256M");
    }

    /// <summary>Starts it, and its writer.</summary>
    public async Task StartAsync()
    {
        File.Delete(Monitor);
        File.Delete(AgentSocket);
        _machine = await StartedMachine.StartAsync(
            Disk,
            [
                .. WithSecond(SecondDisk),
                "-name", "stepping",
                "-qmp", $"unix:{Monitor},server=on,wait=off",
                "-chardev", $"socket,id=agent,path={AgentSocket},server=on,wait=off",
                "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            ]);
        await Machine.RunAsync("modprobe virtio_console; for i in 1 2 3 4 5 6 7 8 9; do ls /dev/vport* > /dev/null 2>&1 && break; sleep 1; done; ls /dev/vport*");

        // An agent that ends is started again, as systemd does it.
        await Machine.RunAsync(
            "chmod 755 /srv/qemu-ga; (while :; do /lib64/ld-linux-x86-64.so.2 --library-path /srv /srv/qemu-ga -m virtio-serial -p $(echo /dev/vport*) -t /run -f /run/ga.pid; sleep 0.2; done) > /run/ga.log 2>&1 < /dev/null &");
        await Machine.RunAsync($"mount /dev/vdb {Place} 2> /dev/null || {{ mkfs.ext4 -q /dev/vdb && mount /dev/vdb {Place}; }}");
        await Machine.RunAsync(
            $"(i=$(cat {First} 2> /dev/null || echo 0); i=$((10#$i)); while :; do i=$((i+1)); n=$(printf %08d $i); echo $n 1<> {First} && sync {First} && echo $n 1<> {Place}{Second} && sync {Place}{Second} || break; done) > /dev/null 2>&1 < /dev/null &");
    }

    /// <summary>Kills it, as a loss of power does.</summary>
    public async Task KillAsync()
    {
        await DisposeAsync();
    }

    /// <summary>Waits until its writer writes again.</summary>
    public async Task RequireGoesOnAsync()
    {
        await Machine.RunAsync($"a=$(cat {First}); for i in $(seq 300); do test $((10#$(cat {First}))) -gt $((10#$a + 1)) && break; sleep 0.2; done; test $((10#$(cat {First}))) -gt $((10#$a + 1))");
    }

    /// <summary>Fails where two numbers that it wrote were not written in step.</summary>
    public static int AssertInStep(string first, string second)
    {
        int one = int.Parse(first.Trim(), CultureInfo.InvariantCulture);
        int other = int.Parse(second.Trim(), CultureInfo.InvariantCulture);
        Assert.Equal(one.ToString(Numbers, CultureInfo.InvariantCulture), first.Trim());
        Assert.InRange(one - other, 0, 1);
        return one;
    }

    public async ValueTask DisposeAsync()
    {
        if (_machine is not null)
        {
            await _machine.DisposeAsync();
            _machine = null;
        }
    }
}
