using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Libvirt;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Libvirt;

public sealed class LibvirtAddressTests
{
    [Theory]
    [InlineData("qemu:///system/vm1", "qemu:///system", "vm1")]
    [InlineData("qemu:///session/my%20vm", "qemu:///session", "my vm")]
    [InlineData("qemu:///system/my vm", "qemu:///system", "my vm")]
    [InlineData("qemu+unix:///system/vm1?socket=/run/x/libvirt-sock", "qemu+unix:///system?socket=/run/x/libvirt-sock", "vm1")]
    public void It_is_the_address_of_libvirt_and_the_name(string text, string uri, string domain)
    {
        Assert.True(LibvirtAddress.IsOne(text));
        Assert.Equal(new LibvirtAddress(uri, domain), LibvirtAddress.Parse(text));
    }

    [Theory]
    [InlineData("qemu:///system", BackupErrorId.ArgumentInvalid)]
    [InlineData("qemu:///system/", BackupErrorId.ArgumentInvalid)]
    [InlineData("qemu:///system/a/b", BackupErrorId.ArgumentInvalid)]
    [InlineData("qemu+ssh://root@host/system/vm1", BackupErrorId.VirtualMachineUnfit)]
    [InlineData("qemu://host/system/vm1", BackupErrorId.VirtualMachineUnfit)]
    public void What_names_no_machine_here_is_refused(string text, BackupErrorId error)
    {
        Assert.True(LibvirtAddress.IsOne(text));
        Assert.Equal(error, Assert.Throws<BackupException>(() => LibvirtAddress.Parse(text)).Id);
    }

    [Theory]
    [InlineData("qmp:/run/vm1/qmp.sock")]
    [InlineData("/srv/vm2/vda.qcow2")]
    [InlineData("qemu.qcow2")]
    public void Others_are_none(string text) => Assert.False(LibvirtAddress.IsOne(text));
}
