using System.Reflection;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.VirtualMachines.Tests;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(QemuMachine).Assembly;

    protected override string[] Folders => ["", "Addresses", "Restores", "Instant", "Backups", "Libvirt", "Qemu", "Images", "Machines", "GuestAgent", "Virsh", "Qmp", "Nbd", "Changes", "Sockets"];
}
