using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>What another machine is to back up, into a vault that this one has. Paths are paths there.</summary>
public sealed record RemoteBackupOrder
{
    /// <summary>The name of the machine in the vault; it may add under this name and no other.</summary>
    public required string MachineName { get; init; }

    /// <summary>Absolute paths of folders and files there.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>What of each is taken.</summary>
    public SourceSelection Selection { get; init; } = SourceSelection.Everything;

    /// <summary>Which sources are taken.</summary>
    public SourceRules Rules { get; init; } = SourceRules.Open;

    /// <summary>Words to attach to the point.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Whether everything is read again, whatever the previous point says.</summary>
    public bool ReadEverything { get; init; }

    /// <summary>Of how many sealed chunks one is opened again before it is sent; 0 none, 1 all.</summary>
    public int VerifyOneIn { get; init; } = BackupRequest.UsualVerifyOneIn;

    /// <summary>How hard the machine tries to make what it sends small.</summary>
    public Compression Compression { get; init; }

    /// <summary>Whether snapshots of the machine's volumes are read.</summary>
    public SnapshotMode Snapshots { get; init; } = SnapshotMode.Auto;

    /// <summary>A file there that says which scripts are run before and after the snapshots are taken; null for none.</summary>
    public string? ScriptFile { get; init; }
}
