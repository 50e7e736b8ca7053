using System.Reflection;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class FolderTests : FolderOrder
{
    protected override Assembly Project => typeof(BackupEngine).Assembly;

    protected override string[] Folders =>
    [
        "", "Backup", "Restore", "Maintenance", "Jobs", "Machine", "Retention", "Policies", "Sources", "RecoveryPoints", "Vaults",
        "Index", "Packs", "Chunks", "Chunking", "Cryptography", "Storage", "Errors",
    ];

    // What the engine takes from outside, and what it is.
    protected override string[] HandedDown => ["EngineOptions", "Agent"];
}
