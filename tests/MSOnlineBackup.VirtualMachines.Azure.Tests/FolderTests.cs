using System.Reflection;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Azure.Machines;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(AzureMachine).Assembly;

    protected override string[] Folders => ["Uploads", "Machines", "Points", "Pages", "Management"];
}
