using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Shadow copies of volumes of Windows, by its own service: one set, of one moment, for all volumes of a backup, for which the writers of applications bring
/// their files into order. They are read at their devices, and are gone with the process that asked for them, however that ends.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="clock">What waiting goes by.</param>
internal sealed class VssSnapshots(IVssService service, TimeProvider clock) : ISnapshotMaker
{
    // Others make shadow copies as well, one at a time on a machine, and Windows has its own every few hours.
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    // A set in which writing was not held back in time was made at a bad moment: Windows asks to try again, and not for ever.
    private const int Tries = 3;

    private readonly Dictionary<string, VssShadowSet> _sets = [];

    /// <inheritdoc/>
    public string Kind => "VSS";

    /// <inheritdoc/>
    public ConsistencyLevel Level => ConsistencyLevel.Application;

    /// <inheritdoc/>
    public bool IsOf(SnapshotVolume volume) => volume.FileSystem is "NTFS" or "ReFS";

    /// <inheritdoc/>
    public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => Task.FromResult(service.FindObstacle());

    /// <inheritdoc/>
    public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, id);

    /// <inheritdoc/>
    public Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken) =>

        // Away from a thread that may belong to a window: the service is not asked from one.
        Task.Run(() => TakeAllAsync(snapshots, cancellationToken), cancellationToken);

    /// <summary>Removes the set that a mark is of, with all its shadow copies. Those of a process that is gone are gone with it.</summary>
    public async Task<string?> RemoveAsync(SnapshotMark mark)
    {
        if (_sets.Remove(mark.Name, out VssShadowSet? set))
        {
            await Task.Run(set.EndAsync).ConfigureAwait(false);
        }

        return null;
    }

    private async Task TakeAllAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        VssProblem? problem = await TakeTogetherAsync(snapshots, cancellationToken).ConfigureAwait(false);
        if (problem is null)
        {
            return;
        }

        // One volume that cannot must not cost the others theirs.
        IGrouping<string, WantedSnapshot>[] volumes = [.. snapshots.GroupBy(snapshot => snapshot.Volume.Identity)];
        if (!problem.MayBeOfOneVolume || volumes.Length == 1)
        {
            FailAll(snapshots, problem);
            return;
        }

        foreach (IGrouping<string, WantedSnapshot> volume in volumes)
        {
            if (await TakeTogetherAsync([.. volume], cancellationToken).ConfigureAwait(false) is { } own)
            {
                FailAll(volume, own);
            }
        }
    }

    private async Task<VssProblem?> TakeTogetherAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        string[] volumes = [.. snapshots.Select(snapshot => snapshot.Volume.Identity).Distinct()];
        long began = clock.GetTimestamp();
        for (int tries = 1; ; tries++)
        {
            var set = new VssShadowSet(service, clock);
            VssProblem? problem;
            try
            {
                problem = await set.MakeAsync(volumes, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                set.Abort();
                throw;
            }

            if (problem is null)
            {
                Tell(snapshots, set);
                return null;
            }

            set.Abort();
            bool isWorthWaiting = problem.IsInProgress ? clock.GetElapsedTime(began) < _patience : problem.IsOfTheMoment && tries < Tries;
            if (!isWorthWaiting)
            {
                return problem;
            }

            await Task.Delay(_pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Tell(IReadOnlyList<WantedSnapshot> snapshots, VssShadowSet set)
    {
        foreach (WantedSnapshot snapshot in snapshots)
        {
            // Whatever became of this one, with its mark the set can be ended.
            _sets[snapshot.Mark.Name] = set;
            if (set.Refusals.TryGetValue(snapshot.Volume.Identity, out string? refusal))
            {
                snapshot.Fail(refusal);
            }
            else
            {
                snapshot.Succeed(WtfName.ToBytes(set.Devices[snapshot.Volume.Identity].TrimEnd('\\') + '\\'), set.Moment, set.Level, set.Weakness);
            }
        }
    }

    private static void FailAll(IEnumerable<WantedSnapshot> snapshots, VssProblem problem)
    {
        foreach (WantedSnapshot snapshot in snapshots)
        {
            snapshot.Fail(problem.ToString());
        }
    }
}
