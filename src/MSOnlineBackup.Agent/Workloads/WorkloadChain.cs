using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>A recovery point of a workload, by its id.</summary>
/// <param name="Id">The point.</param>
/// <param name="Point">What it holds.</param>
public sealed record WorkloadLink(SessionId Id, WorkloadPoint Point);

/// <summary>A time to which a workload can be recovered, from and to.</summary>
/// <param name="From">The earliest moment.</param>
/// <param name="To">The latest moment.</param>
public sealed record WorkloadWindow(DateTimeOffset From, DateTimeOffset To);

/// <summary>A full backup with the pieces of the log that follow it without a gap: what a recovery needs, and nothing of it is missing.</summary>
/// <param name="Full">The full backup.</param>
/// <param name="Logs">The pieces, in order; the first holds what was written while the full backup was made, or there is none yet.</param>
public sealed record WorkloadChain(WorkloadLink Full, IReadOnlyList<WorkloadLink> Logs)
{
    /// <summary>To when one can recover by it; null where there is no log yet, without which a full backup is nothing. Where the kind has none, it is one moment.</summary>
    public WorkloadWindow? Window => Logs.Count > 0 ? new WorkloadWindow(Full.Point.To, Logs[^1].Point.To) : StandsAlone ? new WorkloadWindow(Full.Point.To, Full.Point.To) : null;

    private bool StandsAlone => WorkloadKinds.StandAlone(Full.Point.Kind);

    /// <summary>The position where the next piece of the log begins.</summary>
    internal string Next => Logs.Count == 0 ? Full.Point.LogStart! : Logs[^1].Point.End;

    /// <summary>What the next piece of the log names as the one before it.</summary>
    internal SessionId? Last => Logs.Count == 0 ? Full.Point.Previous : Logs[^1].Id;

    /// <summary>The chains of one workload, by their full backups, in the order of commits. Pure.</summary>
    /// <param name="links">All its points, in any order. What belongs to no full backup is passed over.</param>
    public static IReadOnlyList<WorkloadChain> Find(IEnumerable<WorkloadLink> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        List<WorkloadLink> sorted = [.. links.OrderBy(link => link.Id)];

        // Where two name the same one before them, the newer counts: it was made by whoever found the older one unusable, or not at all.
        var following = new Dictionary<(string Stream, SessionId? Previous), WorkloadLink>();
        foreach (WorkloadLink log in sorted.Where(link => !link.Point.IsFull))
        {
            following[(log.Point.Stream, log.Point.Previous)] = log;
        }

        return [.. sorted.Where(link => link.Point.IsFull).Select(full => new WorkloadChain(full, Follow(full, following)))];
    }

    /// <summary>The windows of chains, those that run into each other as one, earliest first.</summary>
    public static IReadOnlyList<WorkloadWindow> WindowsOf(IEnumerable<WorkloadChain> chains)
    {
        ArgumentNullException.ThrowIfNull(chains);
        var windows = new List<WorkloadWindow>();
        foreach (WorkloadWindow window in chains.Select(chain => chain.Window).OfType<WorkloadWindow>().OrderBy(window => window.From))
        {
            if (windows is [.., var last] && window.From <= last.To)
            {
                windows[^1] = last with { To = window.To > last.To ? window.To : last.To };
            }
            else
            {
                windows.Add(window);
            }
        }

        return windows;
    }

    /// <summary>The shortest way to a moment: the newest full backup before it, and the log up to it; where there is no log, that full backup. Null where the moment lies in no window.</summary>
    /// <param name="chains">The chains of a workload.</param>
    /// <param name="moment">The moment; null for the latest.</param>
    public static WorkloadChain? Choose(IEnumerable<WorkloadChain> chains, DateTimeOffset? moment)
    {
        ArgumentNullException.ThrowIfNull(chains);
        List<WorkloadChain> recoverable = [.. chains.Where(chain => chain.Window is not null)];
        if (moment is not { } time)
        {
            return recoverable.MaxBy(chain => (chain.Window!.To, chain.Full.Id), Comparer<(DateTimeOffset, SessionId)>.Default);
        }

        WorkloadChain? newest = recoverable
            .Where(chain => chain.Window!.From <= time && (time <= chain.Window.To || chain.StandsAlone))
            .MaxBy(chain => (chain.Window!.From, chain.Full.Id), Comparer<(DateTimeOffset, SessionId)>.Default);
        if (newest is null)
        {
            return null;
        }

        int last = newest.Logs.TakeWhile(log => log.Point.To < time).Count();
        return newest with { Logs = [.. newest.Logs.Take(last + 1)] };
    }

    /// <summary>Which further points the kept ones need: to every piece of the log the newest full backup before its end, with all between; to every full backup the first piece after it.</summary>
    /// <param name="links">All points of one workload.</param>
    /// <param name="kept">Those that stay by themselves.</param>
    public static IReadOnlySet<SessionId> NeededBy(IEnumerable<WorkloadLink> links, IReadOnlySet<SessionId> kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        IReadOnlyList<WorkloadChain> chains = Find(links);
        var needed = new HashSet<SessionId>();
        foreach (WorkloadChain chain in chains)
        {
            if (kept.Contains(chain.Full.Id) && chain.Logs.Count > 0)
            {
                needed.Add(chain.Logs[0].Id);
            }
        }

        foreach (SessionId log in kept.Concat(needed).ToList())
        {
            if (chains.LastOrDefault(chain => chain.Logs.Any(link => link.Id == log)) is { } shortest)
            {
                needed.Add(shortest.Full.Id);
                needed.UnionWith(shortest.Logs.TakeWhile(link => link.Id <= log).Select(link => link.Id));
            }
        }

        needed.ExceptWith(kept);
        return needed;
    }

    private static List<WorkloadLink> Follow(WorkloadLink full, Dictionary<(string Stream, SessionId? Previous), WorkloadLink> following)
    {
        var logs = new List<WorkloadLink>();
        SessionId? previous = full.Point.Previous;
        string position = full.Point.LogStart!;
        while (following.TryGetValue((full.Point.Stream, previous), out WorkloadLink? next) && Continues(full.Point, position, previous, next))
        {
            logs.Add(next);
            previous = next.Id;
            position = next.Point.End;
        }

        // One that was made before the full backup was through does not hold what that needs.
        return logs is [var first, ..] && first.Point.To < full.Point.To ? [] : logs;
    }

    private static bool Continues(WorkloadPoint full, string position, SessionId? previous, WorkloadLink next) =>
        !(next.Id <= previous)
        && next.Point.Start == position
        && next.Point.System == full.System
        && next.Point.Timeline == full.Timeline
        && next.Point.Layout == full.Layout;
}
