using System.Reflection;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class VaultsFolderTests : FolderOrder
{
    protected override Assembly Project => typeof(Vault).Assembly;

    protected override string[] Folders => ["", "Copies", "Repair", "Alarms", "Compliance", "Maintenance", "Protection", "Proofs", "Verification", "Progress", "RecoveryPoints", "Parity", "Groups", "Stores", "Statuses", "Registers", "Keys", "Pipes", "Layout", "Index", "Packs", "Chunks", "Cryptography", "Storage", "Ids", "Telemetry", "Errors", "Versioning", "Concurrency"];
}
