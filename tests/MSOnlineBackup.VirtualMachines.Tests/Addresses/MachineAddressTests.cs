using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Addresses;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Addresses;

public sealed class MachineAddressTests
{
    private static readonly string _folder = OperatingSystem.IsWindows() ? @"C:\srv\" : "/srv/";

    [Fact]
    public async Task It_is_a_monitor_or_images()
    {
        var monitor = Assert.IsType<MachineAddress.Qmp>(MachineAddress.Parse([$"QMP:{_folder}qmp.sock"]));
        Assert.Equal((_folder + "qmp.sock", true, $"qmp:{_folder}qmp.sock"), (monitor.Socket, monitor.IsRunning, monitor.Text));

        MachineAddress off = MachineAddress.Parse([_folder + "vda.qcow2", _folder + "vdb.IMG"]);
        Assert.Equal((false, $"{_folder}vda.qcow2;{_folder}vdb.IMG"), (off.IsRunning, off.Text));
        Assert.Equal([new MachineImage("vda", _folder + "vda.qcow2", "qcow2"), new MachineImage("vdb", _folder + "vdb.IMG", "raw")], Assert.IsType<MachineAddress.Off>(off).Images);
        await using IVirtualMachine machine = await off.OpenAsync("vm2", TestContext.Current.CancellationToken);
        Assert.Equal(("vm2", "off"), (machine.Name, machine.Hypervisor));
    }

    [Theory]
    [InlineData]
    [InlineData("vda.qcow2")]
    [InlineData("qmp:qmp.sock")]
    [InlineData("qmp:")]
    [InlineData("qemu:///system")]
    [InlineData("/srv/vda.vmdk")]
    [InlineData("/srv/vda")]
    [InlineData("qmp:/a", "qmp:/b")]
    public void Anything_else_is_refused(params string[] addresses) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => MachineAddress.Parse(addresses)).Id);
}
