using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the engine's recovery points to what scripts see of them.</summary>
internal static class RecoveryConversion
{
    /// <summary>A point in the list of all.</summary>
    /// <param name="point">The point.</param>
    /// <param name="local">Its snapshots on this machine; null where there are none.</param>
    /// <param name="placed">Where it is; null where the copies of the vault were not asked.</param>
    public static OBBackupInfo ToOutput(this RecoveryPoint point, LocalPoint? local = null, PlacedPoint? placed = null) => new()
    {
        Place = placed is null ? OBRecoveryPointPlace.Unknown : Enum.Parse<OBRecoveryPointPlace>(placed.Place.ToString()),
        Copies = [.. placed?.Twins ?? []],
        BackupTime = point.Started.UtcDateTime,
        DataSources = string.Join(", ", point.SourceNames()),
        Consistency = point.Consistency.ToOutput(),
        ConsistencyReason = point.Consistency?.Reason ?? "",
        Warnings = [.. point.Sources.Select(source => source.Warning).OfType<string>()],
        RecoveryPointId = point.SessionId.ToString(),
        HasLocalSnapshot = local is { Obstacle: null },
        Workload = WorkloadPoint.Of(point.Tags)?.Name ?? "",
        WorkloadPart = WorkloadPoint.Of(point.Tags) is { } workload ? workload.IsFull ? OBWorkloadPart.Full : OBWorkloadPart.Log : OBWorkloadPart.None,
        Databases = [.. WorkloadState.DatabasesOf(point)],
    };

    /// <summary>A point in the list of all that only this machine has, as far as it can be told.</summary>
    /// <param name="local">The point.</param>
    /// <param name="isVaultKnown">Whether the vault was asked: then what it does not have is local, also where it had it once.</param>
    public static OBBackupInfo ToOutput(this LocalPoint local, bool isVaultKnown)
    {
        RecoveryPoint point = local.Point;
        return new OBBackupInfo
        {
            BackupTime = point.Started.UtcDateTime,
            DataSources = string.Join(", ", point.SourceNames()),
            Consistency = point.Consistency.ToOutput(),
            ConsistencyReason = point.Consistency?.Reason ?? "",
            Warnings = [.. new[] { local.Failure, local.Obstacle }.OfType<string>()],
            RecoveryPointId = point.SessionId.ToString(),
            State = local.State == PointState.Vaulted && isVaultKnown ? OBRecoveryPointState.Local : Enum.Parse<OBRecoveryPointState>(local.State.ToString()),
            HasLocalSnapshot = local.Obstacle is null,
        };
    }

    /// <summary>How far something is of one moment, as scripts see it.</summary>
    public static OBConsistency ToOutput(this SourceConsistency? consistency) => consistency?.Level switch
    {
        ConsistencyLevel.None => OBConsistency.None,
        ConsistencyLevel.Crash => OBConsistency.Crash,
        ConsistencyLevel.FileSystem => OBConsistency.FileSystem,
        ConsistencyLevel.Application => OBConsistency.Application,
        _ => OBConsistency.Unknown,
    };

    /// <summary>A deleted point as scripts see it.</summary>
    public static OBDeletedRecoveryPoint ToOutput(this DeletedPoint point, string machineName) => new()
    {
        RecoveryPointId = point.SessionId.ToString(),
        MachineName = point.Point?.MachineName ?? machineName,
        BackupTime = point.Point?.Started.UtcDateTime,
        DataSources = point.Point is { } read ? string.Join(", ", read.SourceNames()) : "",
        Deleted = point.Deleted.UtcDateTime,
        KeptUntil = point.KeptUntil.UtcDateTime,
        Reason = point.Reason,
    };

    /// <summary>What a point holds, as policies call it: the many roots of a system state are one source.</summary>
    public static IEnumerable<string> SourceNames(this RecoveryPoint point) =>
        point.WholeName() is { } whole ? [whole] : point.Sources.Select(source => source.ShownPath);

    /// <summary>The item that stands for a point's copy of a source; null where the point has none.</summary>
    public static OBRecoverableItem? ToRoot(this RecoveryPoint point, string sourceName, VaultAccess? access)
    {
        if (point.WholeName() is { } whole)
        {
            return sourceName == whole ? ItemOf(point, access, sourceName, sourceName, sourceName, isDir: true, isWholePoint: true) : null;
        }

        RecoveryPointSource? source = point.Sources.FirstOrDefault(each => each.ShownPath == sourceName)
            ?? point.Sources.FirstOrDefault(each => each.IsAt(sourceName));
        return source is null ? null : ItemOf(point, access, source.ShownPath, source.ShownPath, source.ShownPath, isDir: source.Manifest.Directories > 0);
    }

    /// <summary>An item as scripts see it.</summary>
    public static OBRecoverableItem ToOutput(this RecoverableItem item, RecoveryPoint point, VaultAccess? access)
    {
        ManifestEntry entry = item.Entry;
        return ItemOf(
            point,
            access,
            item.Source.ShownPath,
            item.FullPath,
            item.Name,
            entry.Kind == EntryKind.Directory,
            size: entry.Kind == EntryKind.Directory ? null : entry.Size,
            modified: entry.Metadata.Modified.ToDateTimeOffset()?.UtcDateTime);
    }

    /// <summary>A difference as scripts see it.</summary>
    public static OBRecoveryPointDifference ToOutput(this PointDifference difference, RecoveryPoint reference, RecoveryPoint point, VaultAccess? access)
    {
        ManifestEntry entry = difference.Item.Entry;
        bool isOfReference = ReferenceEquals(difference.Item, difference.Earlier);
        return new OBRecoveryPointDifference
        {
            Change = Enum.Parse<OBItemChange>(difference.Change.ToString()),
            Path = difference.Item.FullPath,
            IsDir = entry.Kind == EntryKind.Directory,
            Aspects = (OBItemAspects)(int)difference.Aspects,
            ItemSize = entry.Kind == EntryKind.File ? entry.Size : null,
            EarlierSize = difference.Earlier is { Entry.Kind: EntryKind.File } earlier ? earlier.Entry.Size : null,
            NewBytes = difference.NewBytes,
            StoredBytes = difference.StoredBytes,
            Item = difference.Item.ToOutput(isOfReference ? reference : point, access),
            RecoveryPointId = point.SessionId.ToString(),
            ReferenceId = reference.SessionId.ToString(),
        };
    }

    /// <summary>What a folder adds as scripts see it.</summary>
    public static OBFolderWeight ToOutput(this FolderWeight folder, RecoveryPoint reference, RecoveryPoint point) => new()
    {
        Path = folder.Path,
        Depth = folder.Depth,
        Files = folder.Files,
        Bytes = folder.Bytes,
        NewBytes = folder.NewBytes,
        StoredBytes = folder.StoredBytes,
        RecoveryPointId = point.SessionId.ToString(),
        ReferenceId = reference.SessionId.ToString(),
    };

    /// <summary>A version of an item as scripts see it.</summary>
    public static OBItemVersion ToOutput(this ItemVersion version, VaultAccess? access)
    {
        OBRecoverableItem item = version.Item.ToOutput(version.Last, access);
        return new OBItemVersion
        {
            Path = item.ItemNameFriendly,
            IsDir = item.IsDir,
            ItemSize = item.ItemSize,
            ItemLastModifiedTime = item.ItemLastModifiedTime,
            FirstBackupTime = version.First.Started.UtcDateTime,
            LastBackupTime = version.Last.Started.UtcDateTime,
            RecoveryPointCount = version.Points,
            FirstRecoveryPointId = version.First.SessionId.ToString(),
            LastRecoveryPointId = version.Last.SessionId.ToString(),
            ServerName = item.ServerName,
            Item = item,
        };
    }

    /// <summary>What was skipped as scripts see it.</summary>
    public static OBSkippedItem ToOutput(this SkippedItem item, Guid jobId) =>
        new() { Path = item.Path, Reason = item.Reason, ErrorId = item.Id.ToString(), JobId = jobId };

    /// <summary>A finding as scripts see it, with what of a point it affects.</summary>
    public static OBRecoveryPointProblem ToOutput(this VerifyFinding finding, RecoveryPoint point) => new()
    {
        Object = finding.Object,
        Problem = finding.Problem,
        AffectedPaths = [.. finding.Affected.Where(item => item.PointId == point.SessionId).Select(item => item.Place).OfType<string>()],
    };

    /// <summary>The databases of a workload's point as items of it: of a piece of the log those of the full backup before it.</summary>
    /// <param name="point">The point; one of no workload has none.</param>
    /// <param name="points">All points of its machine.</param>
    /// <param name="access">The way into the vault; null for this machine's own.</param>
    public static IEnumerable<OBRecoverableItem> ToDatabases(this RecoveryPoint point, IEnumerable<RecoveryPoint> points, VaultAccess? access)
    {
        if (WorkloadPoint.Of(point.Tags) is not { } workload)
        {
            return [];
        }

        RecoveryPoint? full = points
            .Where(each => each.SessionId <= point.SessionId && WorkloadPoint.Of(each.Tags) is { IsFull: true } other && other.Key == workload.Key)
            .MaxBy(each => each.SessionId);
        return WorkloadState.DatabasesOf(full).Select(database => new OBRecoverableItem
        {
            ItemNameFriendly = $"{workload.Name}/{database}",
            ItemNameGuid = $"{workload.Name}/{database}",
            LocalMountPoint = workload.Name,
            MountPointName = workload.Name,
            Name = database,
            PointInTime = point.Started.UtcDateTime,
            ServerName = point.MachineName,
            RecoverySourceId = SourceNumber.Of(workload.Name),
            RecoveryPointId = point.SessionId.ToString(),
            Workload = (workload.Name, workload.To),
            Access = access,
        });
    }

    // The name by which a policy calls all that a point holds; null where each source has its own.
    private static string? WholeName(this RecoveryPoint point) =>
        WorkloadPoint.Of(point.Tags)?.Name ?? point.Tags
            .Select(text => RetentionTag.TryParse(text, out RetentionTag? tag) ? PolicyScope.Of(tag.Policy).SourceName : null)
            .FirstOrDefault(name => name is not null);

    private static OBRecoverableItem ItemOf(
        RecoveryPoint point,
        VaultAccess? access,
        string source,
        string path,
        string name,
        bool isDir,
        bool isWholePoint = false,
        long? size = null,
        DateTime? modified = null) => new()
        {
            IsDir = isDir,
            ItemNameFriendly = path,
            ItemNameGuid = path,
            LocalMountPoint = source,
            MountPointName = source,
            Name = name,
            PointInTime = point.Started.UtcDateTime,
            ServerName = point.MachineName,
            ItemSize = size,
            ItemLastModifiedTime = modified,
            RecoverySourceId = SourceNumber.Of(source),
            RecoveryPointId = point.SessionId.ToString(),
            IsWholePoint = isWholePoint,
            Access = access,
        };
}
