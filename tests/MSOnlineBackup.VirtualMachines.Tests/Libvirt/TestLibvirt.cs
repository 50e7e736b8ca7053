using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Qmp;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Libvirt;

/// <summary>
/// A real libvirtd of the test's own, with its own settings and state, without systemd and D-Bus; what it has in /etc and /run is seen by nobody else. Its machines are emulated, and paused: their writes are
/// made by QEMU's own qemu-io, through the devices of the guest.
/// </summary>
internal sealed class TestLibvirt : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly Process _process;
    private readonly List<string> _domains = [];

    private TestLibvirt(TempFolder folder, Process process) => (_folder, _process) = (folder, process);

    /// <summary>Why there can be none; null where there can.</summary>
    public static string? Missing { get; } = Shell.IsLinuxRoot && File.Exists("/usr/sbin/libvirtd") && File.Exists("/usr/bin/virsh") && File.Exists("/usr/bin/unshare")
        && File.Exists("/usr/bin/qemu-system-x86_64") && Directory.GetDirectories("/usr/lib").Append("/usr/lib64").Any(folder => File.Exists(folder + "/libvirt/connection-driver/libvirt_driver_qemu.so"))
            ? null : "Needs root, libvirt-daemon, libvirt-daemon-driver-qemu, libvirt-clients, qemu-system-x86 and util-linux.";

    /// <summary>Its address.</summary>
    public string Uri => $"qemu+unix:///system?socket={_folder["sock/libvirt-sock"]}";

    public string this[string name] => _folder[name];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts it.</summary>
    public static async Task<TestLibvirt> StartAsync()
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        var folder = new TempFolder();
        foreach (string name in new[] { "etc", "run", "sock" })
        {
            Directory.CreateDirectory(folder[name]);
        }

        Directory.CreateDirectory("/run/libvirt");
        Directory.CreateDirectory("/etc/libvirt");
        await File.WriteAllTextAsync(folder["etc/libvirtd.conf"], $"unix_sock_dir = \"{folder["sock"]}\"\nauth_unix_rw = \"none\"\n", Stop);
        await File.WriteAllTextAsync(
            folder["etc/qemu.conf"], "security_driver = \"none\"\nuser = \"root\"\ngroup = \"root\"\nnamespaces = []\ncgroup_controllers = []\nstdio_handler = \"file\"\n", Stop);

        // libvirt asks for the account that its package for whole systems makes, though another is set.
        await File.WriteAllTextAsync(folder["passwd"], await File.ReadAllTextAsync("/etc/passwd", Stop) + "libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin\n", Stop);
        await File.WriteAllTextAsync(folder["group"], await File.ReadAllTextAsync("/etc/group", Stop) + "libvirt-qemu:x:64055:\nlibvirt:x:64056:\n", Stop);
        string script = $"mount --bind '{folder["passwd"]}' /etc/passwd && mount --bind '{folder["group"]}' /etc/group && mount --bind '{folder["etc"]}' /etc/libvirt && mount --bind '{folder["run"]}' /run/libvirt && exec /usr/sbin/libvirtd -f '{folder["etc/libvirtd.conf"]}' -p '{folder["pid"]}' 2> '{folder["log"]}'";
        var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--propagation", "slave", "sh", "-c", script]))!;
        var libvirt = new TestLibvirt(folder, process);
        try
        {
            for (int tries = 0; Shell.Run("virsh", "-q", "-c", libvirt.Uri, "version").ExitCode != 0; tries++)
            {
                Assert.True(tries < 300 && !process.HasExited, File.Exists(folder["log"]) ? await File.ReadAllTextAsync(folder["log"], Stop) : "It did not start.");
                await Task.Delay(50, Stop);
            }

            return libvirt;
        }
        catch
        {
            await libvirt.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs virsh, which must succeed.</summary>
    public string Virsh(params string[] arguments) => Shell.RunChecked("virsh", ["-q", "-c", Uri, .. arguments]);

    /// <summary>Defines a machine, and starts it paused.</summary>
    /// <param name="disks">Each is an image in the folder, NAME.qcow2 or NAME.raw, where NAME is the disk's target; and the size of those that are not there yet.</param>
    /// <returns>Its name.</returns>
    public string Start(params (string Image, long Size)[] disks)
    {
        string name = Define("", disks);
        Virsh("start", name, "--paused");
        return name;
    }

    /// <summary>Defines a machine.</summary>
    /// <param name="more">What its definition has beside.</param>
    /// <param name="disks">Its disks.</param>
    public string Define(string more, params (string Image, long Size)[] disks)
    {
        // Its folder of state is beside those of the system's own machines.
        string name = $"ob{Environment.ProcessId}-{Path.GetFileName(_folder.Path)[^6..]}-{_domains.Count}";
        var xml = new System.Text.StringBuilder();
        foreach ((string image, long size) in disks)
        {
            string target = Path.GetFileNameWithoutExtension(image);
            string format = Path.GetExtension(image)[1..];
            if (!File.Exists(this[image]))
            {
                Shell.RunChecked("qemu-img", "create", "-q", "-f", format, this[image], size.ToString(CultureInfo.InvariantCulture));
            }

            string bus = target.StartsWith("vd", StringComparison.Ordinal) ? "virtio" : "scsi";
            xml.Append(CultureInfo.InvariantCulture, $"<disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{this[image]}'/><target dev='{target}' bus='{bus}'/><serial>S-{target}</serial></disk>");
        }

        File.WriteAllText(this[$"{name}.xml"], $"""
            <domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>
            <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='scsi' index='0' model='virtio-scsi'/>{xml}
            <disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>{more}</devices></domain>
            """);
        Virsh("define", this[$"{name}.xml"]);
        _domains.Add(name);
        return name;
    }

    /// <summary>Asks the QEMU of a machine.</summary>
    public JsonElement Ask(string domain, string command, JsonObject? arguments = null)
    {
        var line = new JsonObject { ["execute"] = command };
        if (arguments is not null)
        {
            line["arguments"] = arguments;
        }

        using JsonDocument answer = JsonDocument.Parse(Virsh("qemu-monitor-command", domain, "--cmd", line.ToJsonString()));
        return answer.RootElement.GetProperty("return").Clone();
    }

    /// <summary>Has the guest write a pattern. What qemu-io says goes to QEMU's own log; whether it was written tells <see cref="ImageOf"/>.</summary>
    public void Write(string domain, string disk, byte pattern, long offset, long length)
    {
        string alias = System.Xml.Linq.XDocument.Parse(Virsh("dumpxml", domain)).Descendants("disk").Single(found => (string?)found.Element("target")!.Attribute("dev") == disk).Element("alias")!.Attribute("name")!.Value;
        string device = ((JsonElement?)Ask(domain, "query-block")).Elements().Select(block => block.Text("qdev")!).Single(path => path.Split('/').Contains(alias));
        Assert.Equal("", Virsh("qemu-monitor-command", domain, "--hmp", $"qemu-io -d {device} \"write -P {pattern} {offset} {length}\"").Trim());
    }

    /// <summary>What a disk of a machine that is off has.</summary>
    public byte[] ImageOf(string image)
    {
        Shell.RunChecked("qemu-img", "convert", "-O", "raw", this[image], this["converted"]);
        return File.ReadAllBytes(this["converted"]);
    }

    /// <summary>What a backup has put into a machine, by name, other than its record of changes.</summary>
    public IReadOnlyList<string> Leftovers(string domain)
    {
        JsonElement nodes = Ask(domain, "query-named-block-nodes", new JsonObject { ["flat"] = true });
        string folder = Path.GetDirectoryName(((JsonElement?)Ask(domain, "query-chardev")).Elements().Single(device => device.Text("label") == "charmonitor").Text("filename")!["unix:".Length..])!;
        return
        [
            .. ((JsonElement?)nodes).Elements().Select(node => node.Text("node-name")!).Where(name => name.StartsWith("obengine-", StringComparison.Ordinal)),
            .. ((JsonElement?)Ask(domain, "query-block-exports")).Elements().Select(export => export.Text("id")!),
            .. Bitmaps(domain).Where(name => name.StartsWith("obengine-new", StringComparison.Ordinal) || name.StartsWith("obengine-read", StringComparison.Ordinal)),
            .. Directory.GetFileSystemEntries(folder, "obengine-*"),
        ];
    }

    /// <summary>The names of all bitmaps of a machine.</summary>
    public IReadOnlyList<string> Bitmaps(string domain) =>
        [.. ((JsonElement?)Ask(domain, "query-named-block-nodes", new JsonObject { ["flat"] = true })).Elements().SelectMany(node => node.Member("dirty-bitmaps").Elements()).Select(bitmap => bitmap.Text("name")).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        foreach (string domain in _domains)
        {
            Shell.Run("virsh", "-q", "-c", Uri, "destroy", domain);
            Shell.Run("virsh", "-q", "-c", Uri, "undefine", domain, "--snapshots-metadata", "--checkpoints-metadata");
        }

        // SIGTERM, for it removes its own files.
        Shell.Run("kill", _process.Id.ToString(CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }
}
