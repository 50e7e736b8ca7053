using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>The commands that look into disks of recovery points.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly HostVault _vault = new();
    private readonly TempFolder _folder = new();

    private string Image => $"{_vault.Source}/disk.img";

    public void Dispose()
    {
        _folder.Dispose();
        _vault.Dispose();
    }

    [Fact]
    public async Task Files_on_a_disk_are_listed_written_and_restored()
    {
        await BackUpAsync();
        HostRun listing = await RunAsync(0, "image", "ls", "latest", $"{Image}:0:/etc", "-l");
        HostRun lines = await RunAsync(0, "image", "ls", "latest", $"{Image}:0:/", "-R", "--json");
        HostRun content = await RunAsync(0, "image", "cat", "latest", $"{Image}:0:/etc/name");
        HostRun restore = await RunAsync(0, "image", "restore", "latest", $"{Image}:0:/etc", "--to", _folder["back"], "--verify", "--json");

        Assert.Contains($"{Image}:0:/etc/name", listing.Output, StringComparison.Ordinal);
        Assert.Contains(lines.Output.Split('\n'), line => line.Contains("\"linkTarget\":\"name\"", StringComparison.Ordinal));
        Assert.Equal("vm1\n", Encoding.UTF8.GetString(content.Bytes.ToArray()));
        Assert.Equal("vm1\n", await File.ReadAllTextAsync(_folder["back/etc/name"], TestContext.Current.CancellationToken));
        JsonElement summary = JsonDocument.Parse(restore.Output.Trim().Split('\n')[^1]).RootElement;
        Assert.Equal(("image restore", 1, 1), (summary.GetProperty("command").GetString(), summary.GetProperty("files").GetInt32(), summary.GetProperty("verified").GetInt32()));
    }

    [Fact]
    public async Task The_parts_of_a_disk_are_listed()
    {
        await BackUpAsync();
        HostRun parts = await RunAsync(0, "image", "ls", "latest", Image, "--json");
        HostRun text = await RunAsync(0, "image", "ls", "latest", Image);
        HostRun disks = await RunAsync(0, "image", "ls", "latest");

        JsonElement part = JsonDocument.Parse(parts.Output.Split('\n')[0]).RootElement;
        Assert.Equal(("diskPart", $"{Image}:0", "ext4", "inside"), (part.GetProperty("type").GetString(), part.GetProperty("place").GetString(), part.GetProperty("kind").GetString(), part.GetProperty("label").GetString()));
        Assert.Contains("ext4 'inside'", text.Output, StringComparison.Ordinal);
        Assert.Contains("This point has no disks", disks.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere:0:/x", 1, "VolumeItemNotFound")]
    [InlineData("{0}:7:/", 1, "VolumeItemNotFound")]
    [InlineData("{0}:0:/etc/none", 1, "VolumeItemNotFound")]
    [InlineData("{0}", 2, "ArgumentInvalid")]
    [InlineData("{0}:0:/etc", 2, "ArgumentInvalid")]
    public async Task What_is_not_there_or_no_file_is_told(string place, int code, string id)
    {
        await BackUpAsync();

        HostRun run = await RunAsync(code, "image", "cat", "latest", string.Format(System.Globalization.CultureInfo.InvariantCulture, place, Image));

        Assert.Contains(id, run.Error, StringComparison.Ordinal);
        Assert.Equal(0, run.Bytes.Length);
    }

    [Theory]
    [InlineData("vm1")]
    [InlineData("qmp:")]
    public async Task A_machine_is_named_by_the_socket_of_its_monitor(string machine)
    {
        await _vault.CreateAsync();

        HostRun run = await RunAsync(2, "image", "backup", machine);

        Assert.Contains("qmp:/run/vm1/qmp.sock", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is not the address of a virtual machine in Azure", "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/disks/d")]
    [InlineData("Leave out --agent, --work and --format", "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm3", "--agent", "a.sock")]
    public async Task A_machine_in_Azure_is_named_by_its_address_alone(string message, params string[] arguments)
    {
        await _vault.CreateAsync();

        HostRun run = await RunAsync(2, ["image", "backup", .. arguments]);

        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is not the address of a managed disk in Azure", "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm3")]
    [InlineData("Write V1 or V2", "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/disks/d", "--generation", "3")]
    public async Task What_a_new_disk_in_Azure_is_to_be_is_checked_before_the_vault_is_opened(string message, string id, params string[] more)
    {
        HostRun run = await RunAsync(2, ["image", "upload", "latest", "os", "--location", "westeurope", "--to-azure-disk", id, .. more]);

        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_does_not_answer_is_told_with_what_to_do()
    {
        await _vault.CreateAsync();

        HostRun run = await RunAsync(1, "image", "backup", $"qmp:{_folder["none.sock"]}");

        Assert.Contains("VirtualMachineUnreachable", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_a_disk_and_the_place_of_a_disk_are_restored()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/qemu-img"), "Needs qemu-img.");
        await _vault.CreateAsync();
        string image = _folder["vda.raw"];
        byte[] before = new byte[1 << 20];
        before[5000] = 7;
        await File.WriteAllBytesAsync(image, before, TestContext.Current.CancellationToken);
        await RunAsync(0, "image", "backup", image, "--machine", "vm1");
        await File.WriteAllBytesAsync(image, new byte[1 << 20], TestContext.Current.CancellationToken);

        HostRun made = await RunAsync(0, "image", "restore-machine", "latest", "--as", "vm2", "--to", _folder["vm2"], "--format", "raw", "--machine", "vm1", "--json");
        HostRun disk = await RunAsync(0, "image", "restore-disk", "latest", "vda", "--to", _folder["x.qcow2"], "--machine", "vm1");
        HostRun again = await RunAsync(1, "image", "restore-disk", "latest", "vda", "--to", _folder["x.qcow2"], "--machine", "vm1");
        HostRun replaced = await RunAsync(0, "image", "replace-disk", "latest", "vda", "--machine", "vm1", "--work", _folder.Path, "--json");

        JsonElement summary = JsonDocument.Parse(made.Output.Trim().Split('\n')[^1]).RootElement;
        Assert.Equal(("image restore-machine", "vm2"), (summary.GetProperty("command").GetString(), summary.GetProperty("machine").GetString()));
        Assert.Equal(before, await File.ReadAllBytesAsync(summary.GetProperty("files")[0].GetString()!, TestContext.Current.CancellationToken));
        Assert.Contains("x.qcow2", disk.Output, StringComparison.Ordinal);
        Assert.Contains("MachineTargetTaken", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken));
        string point = JsonDocument.Parse(replaced.Output.Trim().Split('\n')[^1]).RootElement.GetProperty("pointId").GetString()!;
        await RunAsync(0, "image", "replace-disk", point, "vda", "--undo", "--machine", "vm1", "--work", _folder.Path);
        Assert.Equal(new byte[1 << 20], await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken));
        Assert.Contains("network", (await RunAsync(2, "image", "restore-machine", "latest", "--as", "vm3", "--to", _folder["vm3"], "--network", "a,b", "--machine", "vm1")).Error, StringComparison.Ordinal);
    }

    private async Task BackUpAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/sbin/mkfs.ext4"), "Needs mkfs.ext4.");
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        Directory.CreateDirectory(_folder["root/etc"]);
        await File.WriteAllTextAsync(_folder["root/etc/name"], "vm1\n", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(_folder["root/etc/link"], "name");
        await using (FileStream file = File.Create(Image))
        {
            file.SetLength(8 << 20);
        }

        Shell.RunChecked("/usr/sbin/mkfs.ext4", "-q", "-F", "-L", "inside", "-d", _folder["root"], Image);
        await _vault.BackUpAsync();
    }

    private async Task<HostRun> RunAsync(int code, params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase, ["OBENGINE_VAULT"] = _vault["vault"] } };
        run.Clock.JumpTo(TimeProvider.System.GetUtcNow());
        int ended = await run.RunAsync(arguments);
        Assert.True(code == ended, $"{ended}\n{run.Output}{run.Error}");
        return run;
    }
}
