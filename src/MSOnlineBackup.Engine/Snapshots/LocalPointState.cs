using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>What is written down of the point that the snapshots of a backup are.</summary>
/// <param name="Version">1.</param>
/// <param name="Id">The session's id: where the backup came to its end, its recovery point's.</param>
/// <param name="MachineId">The machine's id in the vault.</param>
/// <param name="Machine">Its name.</param>
/// <param name="Series">Among which points it is counted.</param>
/// <param name="Vault">Where the vault is.</param>
/// <param name="VaultId">The vault's id.</param>
/// <param name="Started">When the backup began.</param>
internal sealed record LocalPointState(int Version, SessionId Id, MachineId MachineId, string Machine, string Series, string Vault, string VaultId, DateTimeOffset Started)
{
    /// <summary>Whether it stays. Before, the backup is at work, or was killed: then the next one removes it.</summary>
    public bool Stays { get; init; }

    /// <summary>Whether the vault has it, too.</summary>
    public bool IsVaulted { get; init; }

    /// <summary>Why the vault has not, in a sentence.</summary>
    public string? Failure { get; init; }

    /// <summary>What wrote it down, as "0.9.0".</summary>
    public string AgentVersion { get; init; } = "";

    /// <summary>Words that were attached.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What can be restored from it.</summary>
    public IReadOnlyList<LocalSourceState> Sources { get; init; } = [];

    /// <summary>Full paths of what the backup read in no snapshot that stays, as they are shown.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
}

/// <summary>A source of which snapshots stay.</summary>
/// <param name="Path">Its path, as recovery points have it.</param>
/// <param name="Selection">What of it was taken.</param>
/// <param name="Parts">Its root, and what begins below it on other volumes or was left out.</param>
/// <param name="FileSystem">The file system that it lay on.</param>
/// <param name="Consistency">What can be relied on.</param>
internal sealed record LocalSourceState(
    string Path, LocalSelectionState Selection, IReadOnlyList<LocalPartState> Parts, string? FileSystem = null, SourceConsistency? Consistency = null);

/// <summary>A part of a source.</summary>
/// <param name="Path">Where it begins below the source's root, as <see cref="EntryName"/> writes it.</param>
/// <param name="Live">Its absolute path, likewise.</param>
/// <param name="Snapshot">The name of the snapshot that it is read from; null where it is an empty folder.</param>
/// <param name="IsMountPoint">Whether another file system is mounted there.</param>
internal sealed record LocalPartState(string Path, string Live, string? Snapshot = null, bool IsMountPoint = false);

/// <summary>What of a source was taken: see <see cref="SourceSelection"/>.</summary>
internal sealed record LocalSelectionState(
    IReadOnlyList<string> Exclude, IReadOnlyList<string> ExcludeFiles, bool ExcludeCaches, bool NonRecursive, bool CrossMountPoints, bool SkipsLinks, long? ExcludeLargerThan = null)
{
    /// <summary>From what a backup was told.</summary>
    public static LocalSelectionState Of(SourceSelection selection) => new(
        selection.Exclude, selection.ExcludeFiles, selection.ExcludeCaches, selection.NonRecursive, selection.CrossMountPoints, selection.Rules.SkipsLinks, selection.ExcludeLargerThan);

    /// <summary>What a restore walks by.</summary>
    public SourceSelection ToSelection() => new()
    {
        Exclude = Exclude,
        ExcludeFiles = ExcludeFiles,
        ExcludeCaches = ExcludeCaches,
        ExcludeLargerThan = ExcludeLargerThan,
        NonRecursive = NonRecursive,
        CrossMountPoints = CrossMountPoints,
        Rules = SkipsLinks ? SourceRules.Mars : SourceRules.Open,
    };
}
