using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A machine in a vault, and a folder in which <c>obengine image start</c> runs it.</summary>
internal sealed class StartedPoint : IAsyncDisposable
{
    private readonly List<Process> _commands = [];

    /// <summary>The program and the vault.</summary>
    public Obengine Obengine { get; } = new();

    /// <summary>The machine's folder.</summary>
    public string Folder => Obengine.Folder["vm"];

    /// <summary>The options that every start has.</summary>
    public IReadOnlyList<string> Options { get; init; } = ["--memory", "16M", "--qemu-option", "S", "--qemu-option", "display none"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Backs up a machine that is off, by images in the folder, and deletes them.</summary>
    public async Task BackUpAsync(params string[] images)
    {
        await Obengine.CreateVaultAsync();
        string[] paths = [.. images.Select(image => Obengine.Folder[image])];
        Run backup = await Obengine.RunAsync(["image", "backup", "--quiet", "--machine", "vm1", "--vault", Obengine.Vault, "--passphrase-file", Obengine.PassphraseFile, .. paths]);
        Assert.True(backup.ExitCode == 0, backup.ToString());
        Array.ForEach(paths, File.Delete);
    }

    /// <summary>Begins the command.</summary>
    public Process Begin(params string[] more)
    {
        Process process = Obengine.Start(
            ["image", "start", "latest", "--json", "--machine", "vm1", "--to", Folder, "--vault", Obengine.Vault, "--passphrase-file", Obengine.PassphraseFile, .. Options, .. more]);
        _commands.Add(process);
        return process;
    }

    /// <summary>Waits until a command says that the machine runs.</summary>
    public static async Task<JsonElement> WaitForRunningAsync(Process process)
    {
        string? line = await process.StandardOutput.ReadLineAsync(Stop);
        if (line is null || !line.Contains("runningMachine", StringComparison.Ordinal))
        {
            Assert.Fail(line + await Obengine.FinishAsync(process));
        }

        return JsonDocument.Parse(line).RootElement.Clone();
    }

    /// <summary>Kills a command.</summary>
    public static async Task KillAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(Stop);
    }

    /// <summary>Lets a command come to its end, which must be a good one.</summary>
    public static async Task<Run> FinishAsync(Process process)
    {
        Run run = await Obengine.FinishAsync(process);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run;
    }

    /// <summary>The owner's monitor of the machine.</summary>
    public Task<QmpClient> MonitorAsync() => QmpClient.ConnectAsync(Path.Combine(Folder, "qmp.sock"), TimeSpan.FromSeconds(30), Stop);

    /// <summary>Has the guest write a pattern.</summary>
    public async Task WriteAsync(int disk, byte pattern, long offset, long length)
    {
        await using QmpClient monitor = await MonitorAsync();
        string line = string.Create(CultureInfo.InvariantCulture, $"qemu-io -d /machine/peripheral/drive{disk}/virtio-backend \"write -P {pattern} {offset} {length}\"");
        Assert.Equal("", (await monitor.ExecuteAsync("human-monitor-command", new JsonObject { ["command-line"] = line }, Stop)).GetString());
    }

    /// <summary>How the machine is, as QEMU says.</summary>
    public async Task<string> StatusAsync()
    {
        await using QmpClient monitor = await MonitorAsync();
        return (await monitor.ExecuteAsync("query-status", null, Stop)).Text("status")!;
    }

    /// <summary>Switches the machine off, and waits until it is.</summary>
    public async Task QuitAsync()
    {
        string process = "/proc/" + (await File.ReadAllTextAsync(Path.Combine(Folder, "qemu.pid"), Stop)).Trim();
        await using (QmpClient monitor = await MonitorAsync())
        {
            await monitor.ExecuteAsync("quit", null, Stop);
        }

        while (Directory.Exists(process))
        {
            await Task.Delay(10, Stop);
        }
    }

    /// <summary>An image of the machine has nothing below it, is in order, and has the bytes.</summary>
    public async Task AssertImageAsync(string image, byte[] expected)
    {
        string path = Path.Combine(Folder, image);
        Assert.DoesNotContain("backing", Shell.RunChecked("qemu-img", "info", path), StringComparison.Ordinal);
        Shell.RunChecked("qemu-img", "check", "-q", path);
        await File.WriteAllBytesAsync(Obengine.Folder["expected"], expected, Stop);
        Shell.RunChecked("qemu-img", "compare", "-f", "raw", "-F", "qcow2", Obengine.Folder["expected"], path);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process command in _commands)
        {
            if (!command.HasExited)
            {
                command.Kill();
                await command.WaitForExitAsync();
            }

            command.Dispose();
        }

        string pid = Path.Combine(Folder, "qemu.pid");
        if (File.Exists(pid))
        {
            Shell.Run("kill", "-KILL", (await File.ReadAllTextAsync(pid)).Trim());
        }

        Obengine.Dispose();
    }
}
