using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent;

/// <summary>From a policy, and what an order wants of it, to what the engine is asked to back up.</summary>
internal sealed class PolicyBackup
{
    // What counts is the latest time, and points come in the order of commits: where a clock fell back for some of them, the latest is a little further on.
    private const int LookBack = 32;

    private readonly BackupPolicy _policy;
    private readonly BackupOrder _order;
    private readonly string _descriptions;
    private readonly IReadOnlyList<BackupSource> _sources;
    private readonly LinuxSystemState _system = new(new SystemCommands());

    /// <param name="policy">The policy.</param>
    /// <param name="order">What of it.</param>
    /// <param name="descriptions">Where the programs' descriptions of the system are written to: always the same place.</param>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PatternInvalid; ArgumentInvalid where the order names what
    /// is no source of the policy.</exception>
    public PolicyBackup(BackupPolicy policy, BackupOrder order, string descriptions)
    {
        (_policy, _order, _descriptions) = (policy, order, descriptions);
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = policy.Kind == PolicyKind.SystemState
            ? [.. _system.FindFiles().Append(descriptions).Select(path => (path, SourceSelection.Everything))]
            : PolicySources.Resolve(policy, order.Only);
        _sources = [.. sources.Select(source => new BackupSource.Tree(source.Path, source.Selection))];
        Names = policy.Kind == PolicyKind.SystemState
            ? [(LinuxSystemState.Name, sources.Count)]
            : [.. sources.Select(source => (source.Path, 1))];
    }

    /// <summary>What the job calls its sources, and how many of the request's each is.</summary>
    public IReadOnlyList<(string Name, int Parts)> Names { get; }

    /// <summary>Makes ready what must be made, and says what to read.</summary>
    public async Task<IReadOnlyList<BackupSource>> PrepareAsync(CancellationToken cancellationToken)
    {
        if (_policy.Kind == PolicyKind.SystemState)
        {
            await _system.DescribeAsync(_descriptions, cancellationToken).ConfigureAwait(false);
        }

        return _sources;
    }

    /// <summary>The words that say how long the point is kept.</summary>
    /// <param name="clock">The machine's clock and time zone.</param>
    /// <param name="newestFirst">The machine's points, which are read as far back as they are needed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<string>> FindTagsAsync(TimeProvider clock, IAsyncEnumerable<RecoveryPoint> newestFirst, CancellationToken cancellationToken)
    {
        bool isPartial = _policy.Kind == PolicyKind.Files && _sources.Count < PolicySources.Resolve(_policy).Count;
        var run = new RetentionRun(clock.GetUtcNow(), clock.LocalTimeZone, isPartial, _order.RetainUntil);
        var earlier = new List<RetentionPoint>();
        bool isEnough = false;
        await foreach (RecoveryPoint point in newestFirst.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var read = new RetentionPoint(point.SessionId, point.Started, point.Ended, point.Tags);
            earlier.Add(read);
            isEnough |= RetentionPlanner.IsForerunner(_policy, run, read);
            if (isEnough && earlier.Count >= LookBack)
            {
                break;
            }
        }

        return RetentionPlanner.TagsFor(_policy, run, earlier);
    }
}
