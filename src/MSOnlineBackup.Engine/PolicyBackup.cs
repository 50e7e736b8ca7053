using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Policies;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Engine;

/// <summary>From a policy, and what an order wants of it, to what the engine is asked to back up.</summary>
internal sealed class PolicyBackup
{
    private readonly BackupPolicy _policy;
    private readonly BackupOrder _order;
    private readonly string _descriptions;
    private readonly IReadOnlyList<BackupSource> _sources;
    private readonly LinuxSystemState _system = new(new SystemCommands());

    /// <param name="policy">The policy.</param>
    /// <param name="order">What of it.</param>
    /// <param name="descriptions">Where the programs' descriptions of the system are written to: always the same place.</param>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid; ArgumentInvalid where the order names what is no source of the policy.</exception>
    public PolicyBackup(BackupPolicy policy, BackupOrder order, string descriptions)
    {
        (_policy, _order, _descriptions) = (policy, order, descriptions);
        if (policy.Kind == PolicyKind.SystemState)
        {
            string[] paths = [.. _system.FindFiles(), descriptions];
            _sources = [.. paths.Select(path => new BackupSource.Tree(path, SourceSelection.Everything))];
            Names = [(LinuxSystemState.Name, _sources.Count)];
            return;
        }

        IReadOnlyList<(string Path, SourceSelection Selection)> all = PolicySources.Resolve(policy);
        foreach (string wanted in order.Only)
        {
            if (!all.Any(source => IsSame(source.Path, wanted)))
            {
                throw new BackupException(
                    BackupErrorId.ArgumentInvalid,
                    $"'{wanted}' is no source of the policy; its sources are {string.Join(", ", all.Select(source => $"'{source.Path}'"))}.",
                    "Name sources of the policy, or none for all of them.",
                    wanted);
            }
        }

        var chosen = all.Where(source => order.Only.Count == 0 || order.Only.Any(wanted => IsSame(source.Path, wanted))).ToList();
        if (chosen.Count == 0)
        {
            throw new BackupException(
                BackupErrorId.PolicyIncomplete, "The policy names nothing to back up.", "Add folders or files to it with Add-OBFileSpec and save it with Set-OBPolicy.");
        }

        _sources = [.. chosen.Select(source => new BackupSource.Tree(source.Path, source.Selection))];
        Names = [.. chosen.Select(source => (source.Path, 1))];
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
    public IReadOnlyList<string> TagsFor(DateTimeOffset started, IReadOnlyList<RecoveryPoint> earlier) => ["retain:" + _order.RetainUntil, _policy.Kind.ToString()];

    private static bool IsSame(string left, string right) => string.Equals(
        left.TrimEnd('/', '\\'), right.TrimEnd('/', '\\'), OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}
