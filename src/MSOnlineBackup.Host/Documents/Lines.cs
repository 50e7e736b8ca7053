using MSOnlineBackup.Agent.Fleets;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Documents;

internal sealed record ProgressLine(
    JobPhase Phase,
    double ElapsedSeconds,
    long Items,
    long Files,
    long Bytes,
    long ReadBytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    long? TotalFiles,
    long? TotalBytes,
    double BytesPerSecond,
    double? RemainingSeconds,
    string? CurrentItem,
    string? WaitingFor,
    DateTimeOffset? WaitingUntil) : Document("progress");

internal sealed record SkippedLine(string Path, BackupErrorId Id, string Reason) : Document("skipped");

internal sealed record NoteLine(string Message) : Document("note");

internal sealed record ErrorLine(string Id, string Message, string Action, string? Target, int ExitCode, string? Debug) : Document("error");

internal sealed record PointLine(
    string Id,
    string Machine,
    string MachineId,
    string OperatingSystem,
    string AgentVersion,
    DateTimeOffset Started,
    DateTimeOffset Ended,
    string Status,
    string? ParentId,
    IReadOnlyList<string> Tags,
    long Entries,
    long Files,
    long Directories,
    long Bytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    ConsistencyLevel? Consistency,
    string? ConsistencyReason,
    IReadOnlyList<PointSource> Sources) : Document("point")
{
    /// <summary>How far the point has come.</summary>
    public PointState State { get; init; } = PointState.Vaulted;

    /// <summary>Whether it can be restored from snapshots of this machine.</summary>
    public bool HasLocalSnapshot { get; init; }

    /// <summary>How far the point has come from the vault to its copies; null where none was asked.</summary>
    public PointPlace? Place { get; init; }

    /// <summary>The copies that have it.</summary>
    public IReadOnlyList<string> Copies { get; init; } = [];

    public static PointLine Of(RecoveryPoint point) => new(
        point.SessionId.ToString(),
        point.MachineName,
        point.MachineId.ToString(),
        point.OperatingSystem,
        point.AgentVersion,
        point.Started,
        point.Ended,
        point.StatusText,
        point.ParentSessionId?.ToString(),
        point.Tags,
        point.Sources.Sum(source => source.Manifest.Entries),
        point.Sources.Sum(source => source.Manifest.Files),
        point.Sources.Sum(source => source.Manifest.Directories),
        point.Sources.Sum(source => source.Manifest.Bytes),
        point.NewBytes,
        point.StoredBytes,
        point.SkippedCount,
        point.Consistency?.Level,
        point.Consistency?.Reason,
        [.. point.Sources.Select(source => new PointSource(
            source.ShownPath,
            source.FileSystem,
            source.IsMountPoint,
            source.Manifest.Entries,
            source.Manifest.Files,
            source.Manifest.Directories,
            source.Manifest.Bytes,
            source.Consistency?.Level,
            source.Consistency?.Snapshot,
            source.Consistency?.Reason,
            source.Warning))]);
}

internal sealed record LocalPointLine(
    string Id,
    string Machine,
    DateTimeOffset Started,
    PointState State,
    string Series,
    string Vault,
    string VaultId,
    int Snapshots,
    IReadOnlyList<string> Sources,
    IReadOnlyList<string> Missing,
    string? Failure,
    string? Obstacle) : Document("localPoint")
{
    public static LocalPointLine Of(LocalPoint point) => new(
        point.Id.ToString(),
        point.MachineName,
        point.Started,
        point.State,
        point.Series,
        point.Vault,
        point.VaultId,
        point.SnapshotCount,
        [.. point.Point.Sources.Select(source => source.ShownPath)],
        point.Missing,
        point.Failure,
        point.Obstacle);
}

internal sealed record DamagedPointLine(
    string Id, string? Machine, string MachineId, DateTimeOffset? Started, string Object, BackupErrorId ErrorId, string Problem) : Document("damagedPoint")
{
    public static DamagedPointLine Of(DamagedPoint point) => new(
        point.SessionId.ToString(),
        point.MachineName,
        point.MachineId.ToString(),
        point.Begun,
        point.Damage.Target ?? point.SessionId.ToString(),
        point.Damage.Id,
        point.Damage.Message);
}

internal sealed record DeletedPointLine(
    string Id, string? Machine, string MachineId, DateTimeOffset? Started, DateTimeOffset? Ended, DateTimeOffset Deleted, DateTimeOffset KeptUntil, string Reason)
    : Document("deletedPoint")
{
    public static DeletedPointLine Of(DeletedPoint point) => new(
        point.SessionId.ToString(), point.Point?.MachineName, point.MachineId.ToString(), point.Point?.Started, point.Point?.Ended, point.Deleted, point.KeptUntil, point.Reason);
}

internal sealed record PointSource(
    string Path,
    string? FileSystem,
    bool IsMountPoint,
    long Entries,
    long Files,
    long Directories,
    long Bytes,
    ConsistencyLevel? Consistency,
    string? Snapshot,
    string? ConsistencyReason,
    string? Warning);

internal sealed record ItemLine(
    string PointId,
    string Path,
    EntryKind Kind,
    long Bytes,
    ItemTime Modified,
    string Mode,
    uint UserId,
    uint GroupId,
    uint LinkCount,
    string? LinkTarget,
    IReadOnlyList<EntryFlags> Flags,
    IReadOnlyList<string>? Attributes) : Document("item")
{
    // Only what says something about the content.
    private static readonly EntryFlags[] _telling = [EntryFlags.ChangedWhileRead, EntryFlags.KeptFromEarlier, EntryFlags.Unreadable];

    public static ItemLine Of(RecoveryPoint point, RecoverableItem item)
    {
        EntryMetadata metadata = item.Entry.Metadata;
        return new ItemLine(
            point.SessionId.ToString(),
            item.FullPath,
            item.Entry.IsUnderstood ? item.Entry.Kind : EntryKind.Unknown,
            item.Entry.Size,
            metadata.Modified,
            Convert.ToString(metadata.Mode, 8),
            metadata.UserId,
            metadata.GroupId,
            metadata.LinkCount,
            item.Entry.LinkTarget.IsEmpty ? null : PathText.Show(item.Source.Form, item.Entry.LinkTarget.Span),
            [.. _telling.Where(flag => item.Entry.Flags.HasFlag(flag))],
            item.Source.Form != PathForm.Windows ? null
                : [.. Enum.GetValues<FileAttributes>().Where(value => value != 0 && (item.Entry.WindowsAttributes ?? 0).HasFlag(value)).Select(value => value.ToString())]);
    }
}

/// <summary>A disk in a recovery point.</summary>
internal sealed record DiskLine(string PointId, string Name, string Path, long Bytes) : Document("disk")
{
    public static DiskLine Of(RecoveryPoint point, RecoverableItem disk) => new(point.SessionId.ToString(), DiskImage.NameOf(disk), disk.FullPath, disk.Entry.Size);
}

/// <summary>A part of a disk, and what it holds.</summary>
internal sealed record DiskPartLine(
    string PointId, string Place, long? Start, long Bytes, string? PartitionType, string? Name, string? Kind, string? Label, string? VolumeId, string? Note, string? Error) : Document("diskPart")
{
    public static DiskPartLine Of(RecoveryPoint point, DiskImage image, ImagePart part) => new(
        point.SessionId.ToString(),
        $"{image.Name}:{part.Name}",
        part.Start,
        part.Length,
        part.Type,
        part.Title,
        part.Content.Kind,
        part.Content.Files?.Label,
        part.Content.Files?.Id,
        part.Content.Files?.Note,
        part.Content.Error?.Message);
}

/// <summary>A version of an item, and the points that have it.</summary>
internal sealed record VersionLine(
    string Path,
    string Machine,
    EntryKind Kind,
    long Bytes,
    ItemTime Modified,
    string FirstPointId,
    DateTimeOffset FirstStarted,
    string LastPointId,
    DateTimeOffset LastStarted,
    int Points) : Document("version")
{
    public static VersionLine Of(ItemVersion version)
    {
        ManifestEntry entry = version.Item.Entry;
        return new VersionLine(
            version.Item.FullPath,
            version.Last.MachineName,
            entry.IsUnderstood ? entry.Kind : EntryKind.Unknown,
            entry.Size,
            entry.Metadata.Modified,
            version.First.SessionId.ToString(),
            version.First.Started,
            version.Last.SessionId.ToString(),
            version.Last.Started,
            version.Points);
    }
}

/// <summary>How an item differs between two recovery points.</summary>
internal sealed record ChangeLine(
    PointChange Change,
    string Path,
    EntryKind Kind,
    long Bytes,
    long? EarlierBytes,
    ItemTime Modified,
    IReadOnlyList<ItemAspects> Aspects,
    long? NewBytes,
    long? StoredBytes) : Document("change")
{
    public static ChangeLine Of(PointDifference difference)
    {
        ManifestEntry entry = difference.Item.Entry;
        return new ChangeLine(
            difference.Change,
            difference.Item.FullPath,
            entry.IsUnderstood ? entry.Kind : EntryKind.Unknown,
            entry.Size,
            difference.Earlier?.Entry.Size,
            entry.Metadata.Modified,
            [.. Enum.GetValues<ItemAspects>().Where(aspect => aspect != ItemAspects.None && difference.Aspects.HasFlag(aspect))],
            difference.NewBytes,
            difference.StoredBytes);
    }
}

/// <summary>What a folder adds.</summary>
internal sealed record FolderLine(string Path, int Depth, long Files, long Bytes, long NewBytes, long StoredBytes) : Document("folder");

internal sealed record PreviewLine(string Path, EntryKind Kind, long Bytes, PreviewChange Change) : Document("preview");

internal sealed record FindingLine(string Object, string Problem, IReadOnlyList<AffectedItem> Affected) : Document("finding");

internal sealed record RepairedLine(string Object, string Problem, int Salvaged, int FromCopies, int FromParity, int Lost, long LostBytes) : Document("repaired");

internal sealed record UnfinishedLine(string SessionId, string MachineId, DateTimeOffset Started) : Document("unfinished");

/// <summary>Something that an attacker would try, and what came of it.</summary>
internal sealed record ProtectionLine(ProtectionCheck Check, ProtectionVerdict Result, string Detail, string Advice) : Document("protection");

/// <summary>Something that somebody should see to.</summary>
internal sealed record AlarmLine(string Alarm, DateTimeOffset Since, string? Machine, string Message, string Advice) : Document("alarm");

/// <summary>A place where alarms go.</summary>
internal sealed record SinkLine(string Name, SinkKind Kind, string Where, bool Runs, bool Successes) : Document("sink");

/// <summary>How the backups of a machine stand, by one policy.</summary>
internal sealed record ComplianceLine(
    DateTimeOffset At,
    string Machine,
    string? Policy,
    ComplianceState State,
    string? Alarm,
    string Message,
    string Advice,
    DateTimeOffset? LastSuccess,
    DateTimeOffset? LastRun,
    DateTimeOffset? Due,
    RunOutcome? Outcome,
    Guid? JobId,
    IReadOnlyList<string> Errors,
    long Files,
    long Bytes,
    bool IsProved) : Document("compliance")
{
    public static ComplianceLine Of(VaultCompliance found, PolicyCompliance policy) => new(
        found.At,
        policy.Machine,
        policy.Policy,
        policy.State,
        policy.Id?.ToString(),
        policy.Message,
        policy.RecommendedAction,
        policy.LastSuccess,
        policy.LastRun,
        policy.Due,
        policy.Outcome,
        policy.Job,
        policy.Errors,
        policy.Files,
        policy.Bytes,
        policy.IsProved);
}

/// <summary>How the backups of a machine of a vault stand, by all its policies.</summary>
internal sealed record AgentLine(
    string Host,
    RemoteAgentState? State,
    string? Error,
    string? Version,
    string? PreviousVersion,
    string? Platform,
    string? User,
    int? Port,
    string? HostKey,
    string? Program,
    DateTimeOffset? LastSeen,
    string? Reason) : Document("agent")
{
    public static AgentLine Of(RemoteResult result) => new(
        result.HostName,
        result.Agent?.State,
        result.Failure?.Id.ToString(),
        result.Agent?.Version,
        result.Agent?.PreviousVersion,
        result.Agent?.Platform,
        result.Agent?.Machine.UserName,
        result.Agent?.Machine.Port,
        result.Agent?.HostKey,
        result.Agent?.Program,
        result.Agent?.LastSeen,
        result.Failure?.Message ?? result.Agent?.Reason);
}

internal sealed record RemoteBackupLine(
    string Host,
    string? Machine,
    string? PointId,
    string? Error,
    long Files,
    long Bytes,
    long NewFiles,
    long ChangedFiles,
    long UnchangedFiles,
    long ReadBytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    IReadOnlyList<string> LostSources,
    IReadOnlyList<string> Warnings,
    bool Resumed,
    DateTimeOffset? Started,
    DateTimeOffset? Ended,
    string? AgentVersion,
    string? Reason) : Document("remoteBackup")
{
    public static RemoteBackupLine Of(RemoteBackupOutcome outcome) => new(
        outcome.Machine.HostName,
        outcome.MachineName,
        outcome.PointId?.ToString(),
        outcome.Failure?.Id.ToString(),
        outcome.Point?.Sources.Sum(source => source.Manifest.Files) ?? 0,
        outcome.Point?.Sources.Sum(source => source.Manifest.Bytes) ?? 0,
        outcome.NewFiles,
        outcome.ChangedFiles,
        outcome.UnchangedFiles,
        outcome.ReadBytes,
        outcome.Point?.NewBytes ?? 0,
        outcome.Point?.StoredBytes ?? 0,
        outcome.Point?.SkippedCount ?? 0,
        [.. outcome.LostSources.Select(lost => lost.Name)],
        [.. outcome.Warnings.Select(warning => warning.Message)],
        outcome.WasResumed,
        outcome.Started,
        outcome.Ended,
        outcome.AgentVersion,
        outcome.Failure?.Message);

    /// <summary>Of a machine that nothing is on record of.</summary>
    public static RemoteBackupLine Of(RemoteResult unknown) => new(
        unknown.HostName, null, null, unknown.Failure?.Id.ToString(), 0, 0, 0, 0, 0, 0, 0, 0, 0, [], [], false, null, null, null, unknown.Failure?.Message);
}

internal sealed record GroupLine(
    string Name,
    string Id,
    IReadOnlyList<string> Machines,
    IReadOnlyList<string> DiskVaults,
    IReadOnlyList<string> CopyTo,
    string VaultId,
    DateTimeOffset Changed) : Document("group")
{
    public static GroupLine Of(ProtectionGroup group) => new(
        group.Name, group.Id, [.. group.Machines.Select(machine => machine.HostName)], group.DiskVaults, group.CopyTo, group.VaultId, group.Changed);
}

internal sealed record GroupMachineLine(
    string Group,
    string Machine,
    string? DiskVault,
    string? PointId,
    long Files,
    long Bytes,
    long StoredBytes,
    long Skipped,
    string? Error,
    string? Reason) : Document("groupMachine")
{
    public static GroupMachineLine Of(string group, GroupMachineRun run) => new(
        group,
        run.HostName,
        run.DiskVault,
        run.Point?.SessionId.ToString(),
        run.Point?.Sources.Sum(source => source.Manifest.Files) ?? 0,
        run.Point?.Sources.Sum(source => source.Manifest.Bytes) ?? 0,
        run.Point?.StoredBytes ?? 0,
        run.Point?.SkippedCount ?? 0,
        run.Failure?.Id.ToString(),
        run.Failure?.Message);
}

internal sealed record DiskVaultLine(
    string Group,
    string Path,
    DiskVaultState State,
    long? FreeBytes,
    long? TotalBytes,
    DateTimeOffset? FullOn,
    string? Reason) : Document("diskVault")
{
    public static DiskVaultLine Of(string group, DiskVault disk) => new(group, disk.Path, disk.State, disk.FreeBytes, disk.TotalBytes, disk.FullOn, disk.Fault?.Message);
}

internal sealed record FleetLine(
    string Machine,
    string Vault,
    ComplianceState State,
    string? Alarm,
    string Message,
    string Advice,
    DateTimeOffset? LastSuccess,
    DateTimeOffset? Due,
    long Files,
    long Bytes,
    string OperatingSystem,
    string AgentVersion,
    bool IsOutdated) : Document("fleetMachine")
{
    public static FleetLine Of(FleetMachine machine) => new(
        machine.Name,
        machine.Vault,
        machine.Worst.State,
        machine.Worst.Id?.ToString(),
        machine.Worst.Message,
        machine.Worst.RecommendedAction,
        machine.LastSuccess,
        machine.Due,
        machine.Files,
        machine.Bytes,
        machine.OperatingSystem,
        machine.AgentVersion,
        machine.IsOutdated);
}

internal sealed record RetentionLine(
    string Id,
    string Machine,
    DateTimeOffset Started,
    bool Kept,
    RetentionReason Reason,
    PolicyKind? Policy,
    RetentionKind? Rule,
    DateTimeOffset? Until,
    long? Bytes) : Document("retention")
{
    public static RetentionLine Of(PlannedPoint planned) => new(
        planned.Point.SessionId.ToString(),
        planned.Point.MachineName,
        planned.Point.Started,
        !planned.Expires,
        planned.Reason,
        planned.Policy,
        planned.Rule,
        planned.Until,
        planned.Bytes);
}

internal sealed record MachineProofLine(
    string Machine,
    string PointId,
    DateTimeOffset LastBackup,
    DateTimeOffset? LastVerified,
    double VerifiedShare,
    DateTimeOffset? LastTrialRestore,
    long? TrialFiles,
    int? TrialDifferences) : Document("machineProof")
{
    public static MachineProofLine Of(MachineProof machine) => new(
        machine.MachineName,
        machine.PointId.ToString(),
        machine.LastBackup,
        machine.LastVerified,
        machine.VerifiedShare,
        machine.LastTrial?.Time,
        machine.LastTrial?.Files,
        machine.LastTrial?.Differences);
}

internal sealed record WaitingLine(string SessionId, string MachineId, DateTimeOffset Started) : Document("waiting");

/// <summary>An object that was to be deleted, and that the storage keeps for now.</summary>
internal sealed record KeptLine(string Object, string Reason) : Document("kept");

internal sealed record UnknownLine(string Object) : Document("unknown");

internal sealed record KeyLine(string Id, string? Label, string Kind, DateTimeOffset Created, bool IsCurrent, string? KeyVaultKey, string? Kdf, int Epoch, bool IsOutdated) : Document("key");

internal sealed record StepLine(string Step, long Items, long Bytes, double Seconds) : Document("step");

internal sealed record DifferenceLine(string Path, string Difference, bool ChangedMeanwhile) : Document("difference");

internal sealed record MachineLine(string Name, string Id, string OperatingSystem, string AgentVersion, string? FirstName, DateTimeOffset? Left) : Document("machine");

internal sealed record JobLogLine(
    Guid JobId,
    DateTimeOffset Time,
    JobLogLevel Level,
    JobLogEvent Event,
    string Message,
    string? Id,
    string? Path,
    string? Action,
    IReadOnlyDictionary<string, string>? Settings,
    IReadOnlyDictionary<string, long>? Figures) : Document("log");

internal sealed record ScheduleLine(
    string Policy,
    string? Scheduler,
    ScheduleRegistration Registration,
    string? Place,
    IReadOnlyList<string> Command,
    DateTimeOffset? NextRun) : Document("schedule");

/// <summary>Something that backups need, and how it stands.</summary>
internal sealed record HealthLine(HealthCheck Check, HealthVerdict Result, string Cause, string Fix, string Row) : Document("health");

/// <summary>A line of <c>mounts</c>.</summary>
internal sealed record MountLine(
    Guid Id, string Folder, string Vault, string? Machine, string? PointId, DateTimeOffset? PointTime, bool IsWritable, bool IsPinned, int ProcessId, DateTimeOffset Started, DateTimeOffset LastUsed, DateTimeOffset Expires, int Troubles, string? LastTrouble)
    : Document("mount")
{
    /// <summary>Of a mount.</summary>
    public static MountLine Of(RecoveryMount mount) => new(
        mount.Id, mount.Folder, mount.VaultLocation, mount.MachineName, mount.PointId, mount.PointTime, mount.IsWritable, mount.IsPinned, mount.ProcessId, mount.Started, mount.LastUsed, mount.Expires, mount.Troubles, mount.LastTrouble);
}
