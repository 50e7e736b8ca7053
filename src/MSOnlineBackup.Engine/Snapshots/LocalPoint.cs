using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>How far a point whose snapshots are on this machine has come.</summary>
public enum PointState
{
    /// <summary>It is on this machine only: the backup that took the snapshots did not get it into the vault.</summary>
    Local,

    /// <summary>A backup is at work that reads the snapshots.</summary>
    Uploading,

    /// <summary>It is in the vault.</summary>
    Vaulted,
}

/// <summary>A point that can be restored from snapshots of this machine, without its vault.</summary>
public sealed class LocalPoint
{
    internal LocalPoint(string record, LocalPointState state, IReadOnlyList<SnapshotMark> marks, PointState howFar, string? obstacle)
    {
        Record = record;
        Written = state;
        Marks = marks;
        State = howFar;
        Obstacle = obstacle;
    }

    /// <summary>How far it has come.</summary>
    public PointState State { get; }

    /// <summary>The session's id: where the vault has the point, it has it under this one.</summary>
    public SessionId Id => Written.Id;

    /// <summary>The machine's name.</summary>
    public string MachineName => Written.Machine;

    /// <summary>When its backup began.</summary>
    public DateTimeOffset Started => Written.Started;

    /// <summary>Which points it is counted among: the policy; empty for backups without one.</summary>
    public string Series => Written.Series;

    /// <summary>Where the vault of its backup is.</summary>
    public string Vault => Written.Vault;

    /// <summary>The id of that vault.</summary>
    public string VaultId => Written.VaultId;

    /// <summary>Why the vault does not have it, in a sentence; null where it has, or may get it.</summary>
    public string? Failure => Written.Failure;

    /// <summary>Why it, or a part of it, cannot be restored now, in a sentence; null where it can.</summary>
    public string? Obstacle { get; }

    /// <summary>Full paths of what its backup read in no snapshot that stays, as they are shown.</summary>
    public IReadOnlyList<string> Missing => Written.Missing;

    /// <summary>How many snapshots it is made of.</summary>
    public int SnapshotCount => Marks.Count;

    /// <summary>It as a recovery point: without figures, for nothing was counted.</summary>
    public RecoveryPoint Point => new()
    {
        SessionId = Written.Id,
        MachineId = Written.MachineId,
        MachineName = Written.Machine,
        OperatingSystem = "",
        AgentVersion = Written.AgentVersion,
        Started = Written.Started,
        Ended = Written.Started,
        Status = State == PointState.Vaulted ? RecoveryPointStatus.Completed : RecoveryPointStatus.InProgress,
        Tags = Written.Tags,
        Sources =
        [
            .. Written.Sources.Select(source => new RecoveryPointSource
            {
                Path = source.Path,
                Form = PathText.Local,
                Manifest = new ManifestRoot(default, 0, 0, 0, 0, 0),
                FileSystem = source.FileSystem,
                Consistency = source.Consistency,
            }),
        ],
    };

    /// <summary>The file in which its snapshots are written down.</summary>
    internal string Record { get; }

    /// <summary>What is written down of it.</summary>
    internal LocalPointState Written { get; }

    /// <summary>Its snapshots.</summary>
    internal IReadOnlyList<SnapshotMark> Marks { get; }
}
