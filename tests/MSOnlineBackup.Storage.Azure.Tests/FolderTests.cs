using System.Reflection;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Storage.Azure.Tests;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(VaultStores).Assembly;

    protected override string[] Folders => ["", "Costs", "Connectivity", "KeyVault", "Blobs", "Identity", "Transport", "Locations"];
}
