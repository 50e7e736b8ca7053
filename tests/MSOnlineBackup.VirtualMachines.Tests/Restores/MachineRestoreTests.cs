using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Restores;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Restores;

/// <summary>New machines and single disks out of recovery points of machines under a real QEMU.</summary>
public sealed class MachineRestoreTests : IAsyncLifetime
{
    private const int Size = 32 << 20;

    private readonly RestoreFixture _fixture = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Target => _fixture.Folder["restored"];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Theory]
    [InlineData("qcow2")]
    [InlineData("raw")]
    public async Task A_new_machine_has_the_disks_and_starts_by_its_script(string format)
    {
        RecoveryPoint point = await BackUpRunningAsync();
        using MachinePoint opened = await _fixture.OpenAsync(point);
        Assert.Equal(("x86_64", 16L << 20, 1, FirmwareKind.Bios), (opened.Description.Hardware!.Architecture, opened.Description.Hardware.MemoryBytes, opened.Description.Hardware.Processors, opened.Description.Hardware.Firmware));
        Assert.StartsWith("pc-i440fx", opened.Description.Hardware.Machine, StringComparison.Ordinal);
        Assert.Equal("scsi-hd", opened.Description.Hardware.DiskDevices!["vdb"]);

        RestoredMachine made = await MachineRestore.CreateAsync(opened, new NewMachineRequest { Name = "vm1-new", Folder = Target, Format = format }, new JobMonitor(), Stop);

        Assert.Equal([$"vm1-new-drive-vda.{format}", $"vm1-new-vdb.{format}", "vm1-new.sh", "vm1-new.xml"], Directory.GetFiles(Target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach ((MachineDisk disk, string file) in made.Disks)
        {
            string original = _fixture.Folder[disk.Name == "vdb" ? "vdb.qcow2" : "vda.qcow2"];
            Shell.RunChecked("qemu-img", "compare", "-q", "-F", format, "-f", "qcow2", original, file);
            Assert.InRange(long.Parse(Shell.RunChecked("stat", "-c", "%b", file).Trim(), System.Globalization.CultureInfo.InvariantCulture) * 512, 1, 6 << 20);
        }

        Assert.Contains("not connected", string.Join(' ', made.Notes), StringComparison.Ordinal);
        if (File.Exists("/usr/bin/virsh"))
        {
            // Libvirt's own double of a host, which takes one kind of machine only.
            string definition = (await File.ReadAllTextAsync(made.Definition!, Stop)).Replace("type=\"kvm\"", "type=\"test\"", StringComparison.Ordinal);
            await File.WriteAllTextAsync(_fixture.Folder["test.xml"], definition, Stop);
            Shell.RunChecked("virsh", "-q", "-c", "test:///default", "define", "--validate", _fixture.Folder["test.xml"]);
        }

        await AssertStartsAsync(made.Script!, Size, Size);
    }

    [Fact]
    public async Task A_file_that_is_there_is_not_replaced_unless_that_is_wanted_and_never_under_Mars()
    {
        RecoveryPoint point = await BackUpRunningAsync();
        using MachinePoint opened = await _fixture.OpenAsync(point);
        Directory.CreateDirectory(Target);
        string file = Path.Combine(Target, "x.raw");
        await File.WriteAllTextAsync(file, "there", Stop);

        foreach (ExistingFiles rule in (ExistingFiles[])[ExistingFiles.Refuse, ExistingFiles.RefuseByProfile])
        {
            BackupException refused = await Assert.ThrowsAsync<BackupException>(() => MachineRestore.RestoreDiskAsync(opened, "vdb", file, null, rule, new JobMonitor(), Stop));
            Assert.Equal((BackupErrorId.MachineTargetTaken, rule == ExistingFiles.RefuseByProfile), (refused.Id, refused.Message.Contains("Mars", StringComparison.Ordinal)));
            Assert.Equal("there", await File.ReadAllTextAsync(file, Stop));
        }

        await MachineRestore.RestoreDiskAsync(opened, "vdb", file, null, ExistingFiles.Replace, new JobMonitor(), Stop);

        Assert.Equal(Size, new FileInfo(file).Length);
        Assert.Equal([file], Directory.GetFiles(Target));
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await Assert.ThrowsAsync<BackupException>(() => MachineRestore.RestoreDiskAsync(opened, "vdb", file + ".x", null, ExistingFiles.Refuse, new JobMonitor(), Stop))).Id);
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await Assert.ThrowsAsync<BackupException>(() => MachineRestore.CreateAsync(opened, new NewMachineRequest { Name = "../x", Folder = Target }, new JobMonitor(), Stop))).Id);
        Assert.Equal(BackupErrorId.MachinePointUnfit, (await Assert.ThrowsAsync<BackupException>(() => MachineRestore.RestoreDiskAsync(opened, "vdx", file, null, ExistingFiles.Replace, new JobMonitor(), Stop))).Id);
    }

    [Theory]
    [InlineData("qcow2")]
    [InlineData("raw")]
    public async Task Where_blocks_of_a_disk_are_missing_the_error_names_it_and_nothing_is_left(string format)
    {
        RecoveryPoint point = await BackUpRunningAsync();
        using MachinePoint opened = await _fixture.OpenAsync(point);
        foreach (string name in _fixture.Store.Names.Where(name => name.Contains("pack", StringComparison.Ordinal)).ToList())
        {
            _fixture.Store.Remove(name);
        }

        BackupException missing = await Assert.ThrowsAsync<BackupException>(() => MachineRestore.CreateAsync(opened, new NewMachineRequest { Name = "vm2", Folder = Target, Format = format }, new JobMonitor(), Stop));

        Assert.Contains("drive-vda", missing.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Target));
    }

    private async Task<RecoveryPoint> BackUpRunningAsync()
    {
        await using TestMachine machine = await TestMachine.StartAsync(_fixture.Folder, ("vda.qcow2", Size), ("vdb.qcow2", Size));
        await machine.WriteAsync("vda", 1, 0, 2 << 20);
        await machine.WriteAsync("vdb", 2, 5 << 20, 1 << 20);
        RecoveryPoint point;
        await using (QemuMachine monitor = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop))
        {
            point = await _fixture.BackUpAsync(monitor);
        }

        await machine.QuitAsync();
        return point;
    }

    private async Task AssertStartsAsync(string script, params long[] sizes)
    {
        string socket = _fixture.Folder["new.sock"];
        using var process = Process.Start(new ProcessStartInfo(script, ["-S", "-display", "none", "-qmp", $"unix:{socket},server=on,wait=off"]) { RedirectStandardError = true })!;
        try
        {
            while (!File.Exists(socket) && !process.HasExited)
            {
                await Task.Delay(5, Stop);
            }

            Assert.False(process.HasExited, process.HasExited ? await process.StandardError.ReadToEndAsync(Stop) : "");
            await using QmpClient monitor = await QmpClient.ConnectAsync(socket, TimeSpan.FromSeconds(10), Stop);
            JsonElement? blocks = await monitor.ExecuteAsync("query-block", null, Stop);
            Assert.Equal(sizes, blocks.Elements().Select(block => block.Member("inserted")?.Member("image")?.Number("virtual-size")).OfType<long>());
            Assert.Equal("vm1-new", (await monitor.ExecuteAsync("query-name", null, Stop)).Text("name"));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            await process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
