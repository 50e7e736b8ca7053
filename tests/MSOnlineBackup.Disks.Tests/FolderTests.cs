using System.Reflection;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Disks.Tests;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(IDiskContent).Assembly;

    protected override string[] Folders => ["", "Probing", "Lvm", "Xfs", "Ntfs", "Ext4", "Fat", "Partitions", "Volumes", "Reading"];
}
