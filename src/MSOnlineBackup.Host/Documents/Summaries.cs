using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Documents;

internal sealed record VaultSummary(
    string Command,
    string VaultId,
    int FormatVersion,
    DateTimeOffset Created,
    string Location,
    IReadOnlyList<string> Machines,
    VaultSubscription Subscription,
    int MachineLimit,
    int UndeleteDays,
    int ParityPercent,
    StatusForm Statuses,
    string? Owner,
    string? OwnerFile,
    int Points,
    long Objects,
    long StoredBytes,
    int TemporaryFiles,
    long TemporaryBytes) : Summary(Command);

/// <summary><c>watch</c>.</summary>
internal sealed record AgentSummary(string Command, int Machines, int Failed, int Pending) : Summary(Command);

/// <summary><c>agent backup</c>.</summary>
internal sealed record RemoteBackupSummary(int Machines, int Failed, long Skipped) : Summary("agent backup");

/// <summary><c>group create</c>, <c>group change</c>, <c>group remove</c>.</summary>
internal sealed record GroupSummary(string Command, string Group, bool HasChanged, int Warnings) : Summary(Command);

internal sealed record GroupBackupSummary(string Group, int Machines, int Failed, int PointsCopied, int CopiesIncomplete, int Expired, int Warnings) : Summary("group backup");

internal sealed record ServerSyncSummary(
    string VaultId,
    IReadOnlyList<string> Places,
    IReadOnlyList<string> Groups,
    IReadOnlyList<string> Machines,
    int Points,
    int PointsCopied,
    long BytesCopied,
    IReadOnlyList<string> MachinesRestored,
    int RecordsBrought,
    bool HasChanged) : Summary("server sync")
{
    public static ServerSyncSummary Of(ServerSyncReport report) => new(
        report.VaultId,
        report.Places,
        [.. report.Groups.Select(group => group.Name)],
        report.Machines,
        report.Points,
        report.PointsCopied,
        report.BytesCopied,
        report.MachinesRestored,
        report.RecordsBrought,
        report.HasChanged);
}

internal sealed record FleetSummary(int Vaults, int Unread, int Machines, int Alarming) : Summary("fleet");

internal sealed record WatchSummary(DateTimeOffset At, int Policies, int Alarming, int Undelivered) : Summary("watch");

/// <summary><c>vault monitoring-credential</c>.</summary>
internal sealed record MonitoringCredentialSummary(string File, string VaultId, string Store) : Summary("vault monitoring-credential");

internal sealed record ProofSummary(int Machines, int DamagedPacks, DateTimeOffset? LastMaintained) : Summary("vault proof");

/// <summary><c>vault copy</c> and <c>seed import</c>.</summary>
internal sealed record CopySummary(
    string Command,
    bool Rehearsal,
    int PointsCopied,
    int PointsThere,
    int PointsOlder,
    int PointsEnded,
    int PointsNotKept,
    int PointsExpired,
    int PointsDamaged,
    long Chunks,
    long Bytes,
    long StoredBytes,
    int Findings) : Summary(Command);

/// <summary><c>cat</c>.</summary>
internal sealed record CatSummary(string PointId, string Path, long Bytes) : Summary("cat");

/// <summary><c>image upload</c>.</summary>
internal sealed record UploadSummary(string PointId, string Disk, string Id, long Bytes, long WrittenBytes, long VerifiedBytes) : Summary("image upload");

/// <summary><c>diff</c>.</summary>
internal sealed record DiffSummary(string ReferenceId, string PointId) : Summary("diff")
{
    public long Added { get; init; }

    public long AddedBytes { get; init; }

    public long Changed { get; init; }

    public long ChangedBytes { get; init; }

    public long Gone { get; init; }

    public long GoneBytes { get; init; }

    public long NotCompared { get; init; }

    public long? NewBytes { get; init; }

    public long? StoredBytes { get; init; }

    /// <summary>One difference more.</summary>
    public DiffSummary With(PointDifference difference)
    {
        long bytes = difference.Item.Entry.Size;
        DiffSummary counted = difference.Change switch
        {
            PointChange.Added => this with { Added = Added + 1, AddedBytes = Sum(AddedBytes, bytes) },
            PointChange.Changed => this with { Changed = Changed + 1, ChangedBytes = Sum(ChangedBytes, bytes) },
            PointChange.Gone => this with { Gone = Gone + 1, GoneBytes = Sum(GoneBytes, bytes) },
            _ => this with { NotCompared = NotCompared + 1 },
        };
        return difference.NewBytes is null ? counted
            : counted with { NewBytes = (NewBytes ?? 0) + difference.NewBytes, StoredBytes = (StoredBytes ?? 0) + (difference.StoredBytes ?? 0) };
    }

    // A few sparse files can claim more bytes than 63 bits count.
    private static long Sum(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}

internal sealed record RehydrationSummary(int Started, long StartedBytes, int Pending, long PendingBytes) : Summary("vault rehydrate");

internal sealed record BackupSummary(
    string PointId,
    string Machine,
    DateTimeOffset Started,
    DateTimeOffset Ended,
    string Status,
    long Entries,
    long Files,
    long Directories,
    long Bytes,
    long NewFiles,
    long ChangedFiles,
    long UnchangedFiles,
    long ReadBytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    ConsistencyLevel? Consistency,
    string? ConsistencyReason,
    IReadOnlyList<string> LostSources,
    IReadOnlyList<string> Warnings,
    string? ResumedFrom,
    VaultTraffic? Traffic) : Summary("backup")
{
    public IReadOnlyList<CopiedBackup> Copies { get; init; } = [];
}

/// <summary>What a twin has of a backup.</summary>
internal sealed record CopiedBackup(string Twin, bool IsComplete, int PointsCopied, long AlongBytes, long CopiedBytes, string? Failure);

internal sealed record PreviewSummary() : Summary("backup --dry-run")
{
    public long NewItems { get; init; }

    public long ChangedItems { get; init; }

    public long UnchangedItems { get; init; }

    public long UnreadableItems { get; init; }

    public long NewBytes { get; init; }

    public long ChangedBytes { get; init; }

    public long UnchangedBytes { get; init; }
}

internal sealed record ListSummary(string Command, long Count) : Summary(Command);

internal sealed record RestorePlanSummary(
    string PointId,
    string Target,
    RestoreConflict Conflict,
    long Files,
    long Directories,
    long Others,
    long Bytes,
    long FetchBytes,
    int Packs,
    long Conflicts,
    long Unrestorable) : Summary("restore --dry-run");

/// <summary><c>image restore-machine</c>, <c>image restore-disk</c> and <c>image replace-disk</c>.</summary>
internal sealed record MachineRestoreSummary(
    string Command,
    string PointId,
    string Machine,
    IReadOnlyList<string> Disks,
    IReadOnlyList<string> Files,
    string? Definition,
    string? Script,
    string? Kept,
    string? SafetyPoint,
    IReadOnlyList<string> Notes) : Summary(Command);

internal sealed record RestoreSummary(
    string PointId,
    string Target,
    long Files,
    long Directories,
    long Others,
    long Bytes,
    long FetchedBytes,
    long AlreadyThere,
    long Skipped,
    long Verified,
    long KeptFromEarlier,
    long Renamed,
    long ChunksFromCopies,
    long ChunksFromParity,
    VaultTraffic? Traffic) : Summary("restore")
{
    /// <summary>Where the data came from: the vault, or local snapshots.</summary>
    public RestoreFrom From { get; init; } = RestoreFrom.Vault;
}

internal sealed record VerifySummary(
    VerifyLevel Level,
    int Points,
    long Entries,
    long DistinctEntries,
    long Objects,
    long Chunks,
    long Bytes,
    long UnreferencedBytes,
    int Leftovers,
    long OtherStores,
    long Unknown,
    int Unfinished,
    long StaleBytes,
    int TemporaryFiles,
    long TemporaryBytes,
    long ChunksFromCopies,
    long ChunksFromParity,
    int Findings,
    VaultTraffic? Traffic) : Summary("verify");

internal sealed record ShareSummary(
    int Packs, long Bytes, int PacksInAll, long BytesInAll, int DamagedPacks, DateTimeOffset? Oldest, int Findings, VaultTraffic? Traffic) : Summary("verify --share");

internal sealed record TrialSummary(string PointId, int Seed, long Files, long Bytes, long Verified, int Differences, VaultTraffic? Traffic) : Summary("verify --trial-restore");

internal sealed record CapacitySummary(
    long RequiredBytes,
    long FullBytes,
    long ChangeBytes,
    int Points,
    long ProtectedBytes,
    double DailyChange,
    double ReductionRatio,
    long? StoredBytes,
    long? PoolBytes,
    int? DaysUntilFull) : Summary("capacity");

internal sealed record ReportSummary(string File, ReportFormat Format, int Machines, int Amiss, int Alarms) : Summary("report");

internal sealed record RetentionSummary(long Count, int Expiring, long? Bytes) : Summary("retention");

internal sealed record MaintenanceSummary(
    bool Rehearsal,
    int PointsDeleted,
    long? BytesExpiring,
    int PointsGone,
    int PacksDeleted,
    long BytesFreed,
    int PacksCondemned,
    long BytesCondemned,
    int PacksRepacked,
    long BytesRepacked,
    long BytesUnused,
    long BytesUnderEarlierKeys,
    int ObjectsDeleted,
    long ParityWritten,
    int PacksProtected,
    int PacksUnprotected,
    int PacksMended,
    int SessionsShutOut,
    int PacksVerified,
    long BytesVerified,
    int DamagedPacks,
    int WaitingFor,
    int LocksChanged,
    string? LockObstacle,
    int Kept,
    int Findings,
    VaultTraffic? Traffic) : Summary("maintain");

internal sealed record RepairSummary(int Packs, long Chunks, int Damaged) : Summary("repair index");

/// <summary><c>repair</c> and <c>repair data</c>.</summary>
internal sealed record DataRepairSummary(
    bool Rehearsal,
    long PacksRead,
    long BytesRead,
    int PacksDamaged,
    long ChunksSalvaged,
    long ChunksFromCopies,
    long ChunksFromParity,
    long ChunksLost,
    long BytesLost,
    long BytesWritten,
    int PacksDeleted,
    int PacksIndexed,
    int ObjectsRemoved,
    int ObjectsRestored,
    int CommitsRestored,
    int PointsAffected,
    int FilesAffected,
    int WaitingFor,
    string? Unfinished,
    int Findings,
    VaultTraffic? Traffic) : Summary("repair data");

/// <summary><c>repair header</c>.</summary>
internal sealed record HeaderRepairSummary(string Vault, bool Exact, int KeySlots, int Sessions, int Machines, string? Owner) : Summary("repair header");

internal sealed record KeySummary(string Command, string KeyId, string? Label) : Summary(Command);

internal sealed record MachineSummary(string Command, string Machine, string EarlierName) : Summary(Command);

/// <summary><c>approver new</c>.</summary>
internal sealed record ApproverSummary(string File, string PublicKey, string Fingerprint) : Summary("approver new");

/// <summary>A code that was given out.</summary>
internal sealed record ConsentSummary(string Command, string Code, DateTimeOffset ValidUntil, string? Operation) : Summary(Command);

internal sealed record DrillSummary(
    string PointId,
    long Files,
    long Items,
    long Bytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    long Differences,
    long ChangedMeanwhile,
    int Findings,
    bool Identical,
    string? KeptIn) : Summary("drill");

internal sealed record JobSummary(
    Guid JobId,
    JobKind Kind,
    JobState State,
    string? PointId,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    VaultTraffic? Traffic) : Summary("job run");

internal sealed record ScheduleRunSummary(
    ScheduledOutcome Outcome,
    DateTimeOffset? Due,
    Guid? JobId,
    JobState? State,
    string? Reason) : Summary("schedule run");

internal sealed record DiagnosticSummary(string File) : Summary("diagnostic export");

internal sealed record UpdateSummary(
    string OldVersion, string NewVersion, string Folder, string? PreviousFolder, bool Changed, IReadOnlyList<string> Schedules) : Summary("update");

internal sealed record HealthSummary(int Checks, int Failed, int Warnings) : Summary("health");

/// <summary><c>mount</c>, <c>mount run</c>, <c>unmount</c>.</summary>
internal sealed record MountSummary(string Command, string Folder, string? PointId, bool IsWritable, DateTimeOffset Started, int Troubles) : Summary(Command)
{
    /// <summary>Of a mount that has ended. Whoever has served it says whether all could be read; who has ended it has done what was asked.</summary>
    public static MountSummary Of(string command, RecoveryMount mount) => new(command, mount.Folder, mount.PointId, mount.IsWritable, mount.Started, mount.Troubles)
    {
        ExitCode = (int)(mount.Troubles > 0 && command != "unmount" ? Host.ExitCode.CompletedWithSkips : Host.ExitCode.Success),
    };
}
