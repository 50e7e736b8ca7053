using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Qmp;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>A machine under a real QEMU that has disks and does nothing. Its guest's writes are made by QEMU's own qemu-io, through the devices of the guest.</summary>
internal sealed class TestMachine : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly bool _ownsFolder;
    private readonly Process _process;
    private QmpClient? _control;

    private TestMachine(TempFolder folder, bool ownsFolder, Process process) => (_folder, _ownsFolder, _process) = (folder, ownsFolder, process);

    /// <summary>Why there can be no machine; null where there can.</summary>
    public static string? Missing { get; } = OperatingSystem.IsLinux() && File.Exists("/usr/bin/qemu-system-x86_64") && File.Exists("/usr/bin/qemu-nbd") ? null : "Needs Linux, qemu-system-x86 and qemu-utils.";

    /// <summary>The monitor that backups have.</summary>
    public string Monitor => _folder["qmp"];

    public string this[string name] => _folder[name];

    /// <summary>QEMU's other monitor, which is the test's.</summary>
    public QmpClient Control => _control!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts one with disks: each is an image in the folder, and the device that has it is called as the image without its ending.</summary>
    /// <param name="folder">Its folder, which stays the caller's; null for one of its own, with images that are made.</param>
    /// <param name="disks">The images: NAME.qcow2 or NAME.raw; and the size of those that are not there yet.</param>
    public static async Task<TestMachine> StartAsync(TempFolder? folder, params (string Image, long Size)[] disks)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        bool owns = folder is null;
        folder ??= new TempFolder();
        var arguments = new List<string>
        {
            "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-accel", "tcg", "-m", "16", "-S", "-name", "test",
            "-qmp", $"unix:{folder["qmp"]},server=on,wait=off", "-qmp", $"unix:{folder["control"]},server=on,wait=off",
            "-device", "virtio-scsi-pci,id=scsi",
        };
        foreach ((int index, (string image, long size)) in disks.Index())
        {
            string name = Path.GetFileNameWithoutExtension(image);
            string format = Path.GetExtension(image)[1..];
            if (!File.Exists(folder[image]))
            {
                Shell.RunChecked("qemu-img", "create", "-q", "-f", format, folder[image], size.ToString(CultureInfo.InvariantCulture));
            }

            // The ways of naming a drive, and kinds of devices, take turns.
            arguments.AddRange(index % 2 == 0
                ? ["-drive", $"if=none,id=drive-{name},file={folder[image]},format={format},discard=unmap", "-device", $"virtio-blk-pci,drive=drive-{name},id={name},serial=S-{name}"]
                : ["-blockdev", $"driver={format},node-name=node-{name},file.driver=file,file.filename={folder[image]}", "-device", $"scsi-hd,bus=scsi.0,drive=node-{name},id={name},serial=S-{name}"]);
        }

        var process = Process.Start(new ProcessStartInfo("stdbuf", ["-oL", "qemu-system-x86_64", .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var machine = new TestMachine(folder, owns, process);
        try
        {
            while (!File.Exists(machine["control"]) && !process.HasExited)
            {
                await Task.Delay(5, Stop);
            }

            Assert.False(process.HasExited, process.HasExited ? await process.StandardError.ReadToEndAsync(Stop) : "");
            machine._control = await machine.ConnectControlAsync();
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the guest do something with a disk: a command of qemu-io. What that says goes to the standard output of QEMU.</summary>
    public async Task<string> GuestAsync(string disk, string command)
    {
        IReadOnlyList<string> devices = [.. ((JsonElement?)await Control.ExecuteAsync("query-block", null, Stop)).Elements().Select(block => block.Text("qdev")).OfType<string>()];
        string device = devices.Single(path => path.Split('/').Contains(disk));
        JsonElement refused = await Control.ExecuteAsync("human-monitor-command", new JsonObject { ["command-line"] = $"qemu-io -d {device} \"{command}\"" }, Stop);
        Assert.Equal("", refused.GetString());
        var said = new List<string>();
        do
        {
            said.Add(await _process.StandardOutput.ReadLineAsync(Stop) ?? throw new EndOfStreamException());
        }
        while (!said[^1].Contains(" ops; ", StringComparison.Ordinal) && !said[^1].Contains(" failed: ", StringComparison.Ordinal));

        return string.Join('\n', said);
    }

    /// <summary>Has the guest write a pattern, which must succeed.</summary>
    public async Task WriteAsync(string disk, byte pattern, long offset, long length) =>
        Assert.Contains("wrote ", await GuestAsync(disk, $"write -P {pattern} {offset} {length}"), StringComparison.Ordinal);

    /// <summary>What a backup has put into the machine, by name: nodes, bitmaps of a run, exports.</summary>
    public async Task<IReadOnlyList<string>> LeftoversAsync()
    {
        JsonElement nodes = await Control.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, Stop);
        JsonElement exports = await Control.ExecuteAsync("query-block-exports", null, Stop);
        return
        [
            .. ((JsonElement?)nodes).Elements().Select(node => node.Text("node-name")!).Where(name => name.StartsWith("obengine-", StringComparison.Ordinal)),
            .. ((JsonElement?)exports).Elements().Select(export => export.Text("id")!),
            .. (await BitmapsAsync()).Where(name => name.StartsWith("obengine-new", StringComparison.Ordinal) || name.StartsWith("obengine-read", StringComparison.Ordinal)),
            .. Directory.GetDirectories(_folder.Path, "obengine-*"),
        ];
    }

    /// <summary>The names of all bitmaps.</summary>
    public async Task<IReadOnlyList<string>> BitmapsAsync()
    {
        JsonElement nodes = await Control.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, Stop);
        return [.. ((JsonElement?)nodes).Elements().SelectMany(node => node.Member("dirty-bitmaps").Elements()).Select(bitmap => bitmap.Text("name")).OfType<string>()];
    }

    /// <summary>Ends it, in order.</summary>
    public async Task QuitAsync()
    {
        await Control.ExecuteAsync("quit", null, Stop);
        await _process.WaitForExitAsync(Stop);
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        if (_control is not null)
        {
            await _control.DisposeAsync();
        }

        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        File.Delete(_folder["qmp"]);
        File.Delete(_folder["control"]);
        if (_ownsFolder)
        {
            _folder.Dispose();
        }
    }

    // The socket is there a little before it listens.
    private async Task<QmpClient> ConnectControlAsync()
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                return await QmpClient.ConnectAsync(this["control"], TimeSpan.FromSeconds(30), Stop);
            }
            catch (Vaults.Errors.BackupException) when (tries < 100)
            {
                await Task.Delay(20, Stop);
            }
        }
    }
}
