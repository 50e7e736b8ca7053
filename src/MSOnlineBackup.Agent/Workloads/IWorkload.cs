using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>What a database server says of itself.</summary>
/// <param name="System">What it calls its cluster.</param>
/// <param name="Timeline">Which history of it.</param>
/// <param name="Layout">What makes up the place of its files.</param>
/// <param name="Version">Its version.</param>
/// <param name="Databases">The names of its databases.</param>
/// <param name="Now">What its clock says (UTC).</param>
public sealed record WorkloadServer(string System, string Timeline, string Layout, string Version, IReadOnlyList<string> Databases, DateTimeOffset Now);

/// <summary>
/// A database, or a server of them, that is backed up whole. A kind is one class, in a folder of its own; whatever plans, runs, lists, keeps and recovers backups knows no kinds.
/// </summary>
internal interface IWorkload : IAsyncDisposable
{
    /// <summary>Asks what it is, and whether it can be backed up: all that may be amiss is told now, rather than in the middle of a backup.</summary>
    /// <exception cref="BackupException">WorkloadUnreachable, WorkloadAccessDenied, WorkloadUnfit, WorkloadProgramUnusable, WorkloadCommandFailed.</exception>
    Task<WorkloadServer> DiscoverAsync(CancellationToken stop);

    /// <summary>Begins a full backup: from now on the sources may be read.</summary>
    Task<IWorkloadFull> BeginFullAsync(CancellationToken stop);
}

/// <summary>One with a log, which is backed up in pieces: a full backup is of use with the log that was written while it was made.</summary>
internal interface ILoggedWorkload : IWorkload
{
    /// <summary>What to do about gaps that come again, in a sentence.</summary>
    string GapAdvice { get; }

    /// <summary>Why the server cannot give its log from a position on, in a sentence; null where it can.</summary>
    Task<string?> FindGapAsync(string position, CancellationToken stop);

    /// <summary>Has the server keep its log from now on.</summary>
    /// <returns>The position where it begins.</returns>
    Task<string> BeginStreamAsync(CancellationToken stop);

    /// <summary>Gets the log from a position to now into the spool folder. What is there of an earlier try counts.</summary>
    /// <param name="position">Where it begins.</param>
    /// <param name="stop">Stops it; what has come is kept.</param>
    Task<WorkloadLog> ReadLogAsync(string position, CancellationToken stop);

    /// <summary>The vault has the log up to a position: neither the spool folder nor the server need to keep it.</summary>
    Task ReleaseAsync(string position, CancellationToken stop);
}

/// <summary>A full backup under way. Disposed of without having come to its end, it is given up, and the server knows.</summary>
internal interface IWorkloadFull : IAsyncDisposable
{
    /// <summary>What is read, in this order; the last of them come into being when they are read.</summary>
    IReadOnlyList<BackupSource> Sources { get; }

    /// <summary>Position in the log where it begins.</summary>
    string Start { get; }

    /// <summary>Position in the log where it ends; known when all sources are read.</summary>
    string End { get; }

    /// <summary>When it began (UTC).</summary>
    DateTimeOffset From { get; }

    /// <summary>When it ended (UTC); known when all sources are read.</summary>
    DateTimeOffset To { get; }
}

/// <summary>A piece of the log, in the spool folder.</summary>
/// <param name="Source">What is read.</param>
/// <param name="End">Position where it ends.</param>
/// <param name="To">When it ends (UTC): what was committed before is in it, and something that was committed later is its last.</param>
internal sealed record WorkloadLog(BackupSource Source, string End, DateTimeOffset To);
