using System.Reflection;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class EngineFolderTests : FolderOrder
{
    protected override Assembly Project => typeof(VaultFiles).Assembly;

    protected override string[] Folders => ["", "Images", "Views", "Backup", "Restore", "Scripts", "Snapshots", "Sources", "Chunking"];
}
