namespace MSOnlineBackup.Agent.Workloads;

/// <summary>What the next backup of a workload takes.</summary>
/// <param name="TakesFull">Whether a full backup, before the log.</param>
/// <param name="ContinuesStream">Whether the log goes on from what the vault has; otherwise a new stream begins.</param>
/// <param name="Gap">Why the log cannot go on, in a sentence; null where it can, or there was none.</param>
internal sealed record WorkloadDecision(bool TakesFull, bool ContinuesStream, string? Gap)
{
    // Schedules are late by a bit, now more and now less: what is nearly due is due.
    private const int SlackShare = 20;
    private static readonly TimeSpan _mostSlack = TimeSpan.FromMinutes(30);

    /// <summary>Decides. Pure.</summary>
    /// <param name="newest">The chain of the newest full backup that the vault has; null for none.</param>
    /// <param name="server">The server as it is.</param>
    /// <param name="gap">Why the server cannot give the log from the chain's end on; null where it can.</param>
    /// <param name="fullEvery">After which time a full backup is due.</param>
    /// <param name="now">The server's time.</param>
    public static WorkloadDecision Of(WorkloadChain? newest, WorkloadServer server, string? gap, TimeSpan fullEvery, DateTimeOffset now)
    {
        if (newest is null)
        {
            return new WorkloadDecision(TakesFull: true, ContinuesStream: false, Gap: null);
        }

        if ((FindChange(newest.Full.Point, server) ?? gap) is { } why)
        {
            return new WorkloadDecision(TakesFull: true, ContinuesStream: false, why);
        }

        TimeSpan slack = fullEvery / SlackShare < _mostSlack ? fullEvery / SlackShare : _mostSlack;
        return new WorkloadDecision(now - newest.Full.Point.From >= fullEvery - slack, ContinuesStream: true, Gap: null);
    }

    /// <summary>Why a full backup is not one of the server as it is; null where it is.</summary>
    public static string? FindChange(WorkloadPoint full, WorkloadServer server) =>
        full.System != server.System ? $"The server is another one than was backed up: it calls itself {server.System}, not {full.System}."
        : full.Timeline != server.Timeline ? $"The server's log is another one now, of the timeline {server.Timeline} and not {full.Timeline}: the server was recovered, promoted or set up anew."
        : full.Layout != server.Layout ? "The server's files lie elsewhere now: a folder or a tablespace has come, gone or moved."
        : null;
}
