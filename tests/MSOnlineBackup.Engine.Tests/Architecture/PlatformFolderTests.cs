using System.Reflection;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class PlatformFolderTests : FolderOrder
{
    protected override Assembly Project => typeof(ItemTime).Assembly;

    protected override string[] Folders => ["SystemLogs", "Machine", "Volumes", "Folders", "Unix", "Windows", "Items"];
}
