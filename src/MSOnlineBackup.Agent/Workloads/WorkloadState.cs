using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>How the backups of one workload of a machine stand, by its recovery points.</summary>
/// <param name="Name">Its name, as the newest point has it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Chains">Its full backups with what follows each, in the order of commits.</param>
/// <param name="Databases">The databases of the newest full backup, 200 at most.</param>
public sealed record WorkloadState(string Name, WorkloadKind Kind, IReadOnlyList<WorkloadChain> Chains, IReadOnlyList<string> Databases)
{
    /// <summary>The times that it can be recovered to, earliest first.</summary>
    public IReadOnlyList<WorkloadWindow> Windows => WorkloadChain.WindowsOf(Chains);

    /// <summary>Whether each of its backups stands alone, without a log between them: it is recovered to the times of these.</summary>
    public bool StandsAlone => WorkloadKinds.StandAlone(Kind);

    /// <summary>The newest full backup; null where none is left.</summary>
    public WorkloadPoint? LastFull => Chains is [.., var last] ? last.Full.Point : null;

    /// <summary>The newest log that can be recovered from; null where there is none.</summary>
    public WorkloadPoint? LastLog => Chains.SelectMany(chain => chain.Logs).MaxBy(log => log.Id)?.Point;

    /// <summary>The workloads that points are of, by name.</summary>
    public static IReadOnlyList<WorkloadState> Find(IEnumerable<RecoveryPoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        List<(RecoveryPoint Point, WorkloadPoint Workload)> known =
            [.. points.Select(point => (point, Workload: WorkloadPoint.Of(point.Tags))).Where(each => each.Workload is not null).Select(each => (each.point, each.Workload!)).OrderBy(each => each.point.SessionId)];
        return
        [
            .. known.GroupBy(each => each.Workload.Key).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new WorkloadState(
                group.Last().Workload.Name,
                group.Last().Workload.Kind,
                WorkloadChain.Find(group.Select(each => new WorkloadLink(each.Point.SessionId, each.Workload))),
                DatabasesOf(group.LastOrDefault(each => each.Workload.IsFull).Point))),
        ];
    }

    /// <summary>The databases that a point names.</summary>
    public static IReadOnlyList<string> DatabasesOf(RecoveryPoint? point) =>
        [.. (point?.Tags ?? []).Where(tag => tag.StartsWith(WorkloadTags.Database, StringComparison.Ordinal)).Select(tag => tag[WorkloadTags.Database.Length..])];

    /// <summary>The shortest way to a moment.</summary>
    /// <param name="states">The workloads of a machine.</param>
    /// <param name="name">Which; neither capitals nor '-' and '_' count.</param>
    /// <param name="moment">The moment; null for the latest.</param>
    /// <exception cref="BackupException">WorkloadNotFound; WorkloadTimeOutside, which tells the windows.</exception>
    public static WorkloadChain Choose(IEnumerable<WorkloadState> states, string name, DateTimeOffset? moment)
    {
        ArgumentNullException.ThrowIfNull(states);
        ArgumentNullException.ThrowIfNull(name);
        List<WorkloadState> all = [.. states];
        WorkloadState? found = all.Find(state => WorkloadSettings.KeyOf(state.Name) == WorkloadSettings.KeyOf(name));
        if (found is null || found.Windows.Count == 0)
        {
            throw new BackupException(
                BackupErrorId.WorkloadNotFound,
                found is null ? $"The vault has no backup of a workload '{name}' of this machine." : $"The vault has nothing of the workload '{name}' that could be recovered: a full backup with the log after it.",
                all.Count == 0 ? "Back one up: Add-OBWorkload, Set-OBPolicy, Start-OBBackup." : $"It has {string.Join(", ", all.Select(state => $"'{state.Name}'"))}. Get-OBWorkload tells more.",
                name);
        }

        return WorkloadChain.Choose(found.Chains, moment) ?? throw new BackupException(
            BackupErrorId.WorkloadTimeOutside,
            $"The workload '{found.Name}' cannot be recovered to {moment:yyyy-MM-dd HH:mm:ss.ffffffzzz}.",
            WorkloadKinds.StandAlone(found.Kind)
                ? $"Its first backup is of {found.Windows[0].From:yyyy-MM-dd HH:mm:ss.ffffff}Z; at a time between two backups it is as the one before has it."
                : $"It can be recovered to any time {string.Join(", or ", found.Windows.Select(window => $"from {window.From:yyyy-MM-dd HH:mm:ss.ffffff}Z to {window.To:yyyy-MM-dd HH:mm:ss.ffffff}Z"))}.",
            name);
    }
}
