using System.Reflection;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class MountsFolderTests : FolderOrder
{
    protected override Assembly Project => typeof(FuseMount).Assembly;

    protected override string[] Folders => ["", "Drives", "Projection", "Fuse", "WebDav", "Nbd", "Serving"];
}
