using System.Reflection;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Storage.Azure.Tests;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(BlobVaultStore).Assembly;

    protected override string[] Folders => ["", "Costs", "Connectivity", "KeyVault", "Blobs", "Identity", "Transport", "Locations"];
}
