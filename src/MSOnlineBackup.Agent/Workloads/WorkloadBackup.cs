using System.Globalization;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>
/// One backup of a workload: its log since the last one, and before that a full backup where one is due or the log has a gap; where it has no log, a full backup. Each is a recovery point of its own. Where it is
/// ended in between, whenever, the next one goes on.
/// </summary>
/// <param name="Vault">The vault.</param>
/// <param name="Settings">The workload.</param>
/// <param name="Workload">Its server.</param>
/// <param name="Template">What its requests have of the job: the machine's name, tags of retention, compression, own folders.</param>
internal sealed record WorkloadBackup(UnlockedVault Vault, WorkloadSettings Settings, IWorkload Workload, BackupRequest Template)
{
    // A recovery point has room for more; whoever has so many looks into the server.
    private const int MostDatabases = 200;

    /// <summary>Begins the counters of a point.</summary>
    public required Func<JobMonitor> BeginPart { get; init; }

    /// <summary>Told what somebody should see to, though the backup goes on.</summary>
    public required Action<BackupException> Warn { get; init; }

    /// <summary>Runs it.</summary>
    /// <returns>The points that it made, in order.</returns>
    /// <exception cref="BackupException">What was made before it failed stays.</exception>
    public async Task<IReadOnlyList<BackupResult>> RunAsync(CancellationToken stop)
    {
        WorkloadServer server = await Workload.DiscoverAsync(stop).ConfigureAwait(false);
        (WorkloadChain? newest, RecoveryPoint? earlier) = await FindNewestAsync(stop).ConfigureAwait(false);
        if (Workload is not ILoggedWorkload logged)
        {
            return [await TakeFullAsync(server, PointOf(server, server.Now.UtcTicks.ToString("x", CultureInfo.InvariantCulture), ""), earlier, stop).ConfigureAwait(false)];
        }

        string? gap = newest is not null && WorkloadDecision.FindChange(newest.Full.Point, server) is null
            ? await logged.FindGapAsync(newest.Next, stop).ConfigureAwait(false)
            : null;
        WorkloadDecision decision = WorkloadDecision.Of(newest, server, gap, Settings.FullEvery, server.Now);
        if (decision.Gap is { } why)
        {
            Warn(GapWarning(why, newest!, logged));
        }

        string position = decision.ContinuesStream ? newest!.Next : await logged.BeginStreamAsync(stop).ConfigureAwait(false);
        WorkloadPoint last = PointOf(
            server, decision.ContinuesStream ? newest!.Full.Point.Stream : $"{server.System}/{server.Timeline}/{position}/{server.Now.UtcTicks:x}", position) with
        {
            From = newest is { Window: { } window } && decision.ContinuesStream ? window.To : server.Now,
            Previous = decision.ContinuesStream ? newest!.Last : null,
        };
        var results = new List<BackupResult>();
        if (decision.TakesFull)
        {
            results.Add(await TakeFullAsync(server, last, earlier, stop).ConfigureAwait(false));

            // What changed meanwhile belongs to the log: it is found to be no use to the full backup then, and the next one is full again.
            server = await Workload.DiscoverAsync(stop).ConfigureAwait(false);
            last = last with { Timeline = server.Timeline, Layout = server.Layout };
        }

        results.Add(await TakeLogAsync(logged, last, stop).ConfigureAwait(false));
        return results;
    }

    // With the point of its full backup, from which the next one takes what has not changed: there may be hundreds of logs between the two.
    private async Task<(WorkloadChain? Chain, RecoveryPoint? Full)> FindNewestAsync(CancellationToken stop)
    {
        var links = new List<WorkloadLink>();
        PointHistory history = await Vault.OpenHistoryAsync(Template.MachineName, stop).ConfigureAwait(false);
        await foreach (RecoveryPoint point in history.NewestFirst.WithCancellation(stop).ConfigureAwait(false))
        {
            if (WorkloadPoint.Of(point.Tags) is not { } workload || workload.Key != Settings.Key)
            {
                continue;
            }

            links.Add(new WorkloadLink(point.SessionId, workload));
            if (workload.IsFull)
            {
                return (WorkloadChain.Find(links)[^1], point);
            }
        }

        return (null, null);
    }

    private WorkloadPoint PointOf(WorkloadServer server, string stream, string position) => new()
    {
        Name = Settings.Name,
        Kind = Settings.Kind,
        Stream = stream,
        System = server.System,
        Timeline = server.Timeline,
        Layout = server.Layout,
        Start = position,
        End = position,
        From = server.Now,
        To = server.Now,
    };

    private async Task<BackupResult> TakeFullAsync(WorkloadServer server, WorkloadPoint before, RecoveryPoint? earlier, CancellationToken stop)
    {
        IWorkloadFull full = await Workload.BeginFullAsync(stop).ConfigureAwait(false);
        await using (full.ConfigureAwait(false))
        {
            return await Vault.BackUpAsync(
                Template with { Sources = full.Sources, IsLive = true, ComparedWith = earlier, Rules = SourceRules.None, Conclude = _ => Task.FromResult(Describe()) }, BeginPart(), stop).ConfigureAwait(false);

            IReadOnlyList<string> Describe() =>
            [
                (before with
                {
                    IsFull = true,
                    Start = full.Start,
                    End = full.End,
                    LogStart = before.End,
                    From = full.From,
                    To = full.To,
                    Version = server.Version,
                }).ToString(),
                .. server.Databases.Take(MostDatabases).Select(name => WorkloadTags.Database + name),
            ];
        }
    }

    private async Task<BackupResult> TakeLogAsync(ILoggedWorkload workload, WorkloadPoint last, CancellationToken stop)
    {
        WorkloadLog log = await workload.ReadLogAsync(last.End, stop).ConfigureAwait(false);
        WorkloadPoint point = last with { Start = last.End, End = log.End, To = log.To, From = last.From < log.To ? last.From : log.To };
        BackupResult result = await Vault.BackUpAsync(
            Template with { Sources = [log.Source], IsLive = true, Rules = SourceRules.None, Tags = [.. Template.Tags, point.ToString()] }, BeginPart(), stop).ConfigureAwait(false);
        try
        {
            await workload.ReleaseAsync(log.End, stop).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // The vault has it. The server keeps more of its log than it need, until the next run.
            Warn(e);
        }

        return result;
    }

    private BackupException GapWarning(string why, WorkloadChain newest, ILoggedWorkload workload) => new(
        BackupErrorId.WorkloadLogGap,
        $"The log of the workload '{Settings.Name}' has a gap: {why} This backup is full. "
            + (newest.Window is { } window ? $"Until {window.To:u} it can be recovered by the earlier ones, and again from this one on." : "It can be recovered from this one on."),
        "Nothing needs to be done now. " + workload.GapAdvice,
        Settings.Name);
}
