using System.Globalization;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Looks, before anything of a machine ends for good, whether something happened lately that its owner should see first: a backup that looks like the work of ransomware, or many of its
/// points deleted at once. Nobody has to report it, for it is read off the vault; times are those of the store.
/// </summary>
/// <param name="store">The chunk store.</param>
/// <param name="time">For how long something puts a brake on deletion.</param>
internal sealed class BrakeFinder(ChunkStore store, TimeSpan time)
{
    private const int LeastMassDeletion = 5;

    private static readonly TimeSpan _atOnce = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private Task<VaultRecords>? _records;

    /// <summary>The brakes that hold all of a machine, and that nobody has released.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="points">Its points that are there, deleted or not.</param>
    /// <param name="decisions">What was decided on its points.</param>
    /// <param name="reached">Up to when the vault bears out that time has passed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<DeletionBrake>> FindAsync(
        MachineId machineId, IReadOnlyList<PointName> points, IReadOnlyList<DeletionSeries> decisions, DateTimeOffset reached, CancellationToken cancellationToken)
    {
        if (time <= TimeSpan.Zero)
        {
            return [];
        }

        var held = new List<DeletionBrake>();
        DeletionBrake?[] found = [FindMassDeletion(machineId, points, decisions, reached), await FindUnusualAsync(machineId, points, reached, cancellationToken).ConfigureAwait(false)];
        foreach (DeletionBrake brake in found.OfType<DeletionBrake>())
        {
            if (!await IsReleasedAsync(machineId, brake.Since, cancellationToken).ConfigureAwait(false))
            {
                held.Add(brake);
            }
        }

        return held;
    }

    /// <summary>Whether a point is held because retention let go of it before the time that it was made for, and nobody has released that.</summary>
    /// <param name="machineId">The point's machine.</param>
    /// <param name="deletion">What holds of the point.</param>
    /// <param name="kept">For how long any deleted point stays.</param>
    /// <param name="reached">Up to when the vault bears out that time has passed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<bool> HoldsEarlyAsync(MachineId machineId, Deletion deletion, TimeSpan kept, DateTimeOffset reached, CancellationToken cancellationToken) =>
        deletion.IsEarly && time > TimeSpan.Zero && reached - deletion.Since < kept + time
        && !await IsReleasedAsync(machineId, deletion.Since, cancellationToken).ConfigureAwait(false);

    /// <summary>The brake by points of a machine that are held so.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="held">What holds of each, and when it was made.</param>
    /// <param name="kept">For how long any deleted point stays.</param>
    public DeletionBrake DescribeEarly(MachineId machineId, IReadOnlyCollection<(Deletion Deletion, DateTimeOffset Created)> held, TimeSpan kept)
    {
        double promised = held.Max(point => (point.Deletion.Due!.Value - point.Created).TotalDays);
        double had = held.Min(point => (point.Deletion.Since - point.Created).TotalDays);
        return new DeletionBrake(
            machineId,
            held.Min(point => point.Deletion.Since),
            held.Max(point => point.Deletion.Since) + kept + time,
            string.Create(
                CultureInfo.InvariantCulture,
                $"retention was shortened: {held.Count:N0} recovery {(held.Count == 1 ? "point was" : "points were")} let go of after {had:0} days and more, made to be kept for up to {promised:0}"),
            BrakeKind.ShortenedRetention);
    }

    // Retention lets go of a few points a day. What happened more than the brake's time ago counts no more.
    private DeletionBrake? FindMassDeletion(MachineId machineId, IReadOnlyList<PointName> points, IReadOnlyList<DeletionSeries> decisions, DateTimeOffset reached)
    {
        DateTimeOffset[] times = [.. decisions.Where(series => series.Records.Count > 0).Select(series => series.Records[0].Object.Created).Where(created => reached - created < time).Order()];
        for (int first = 0; first < times.Length; first++)
        {
            int count = times.Skip(first).TakeWhile(created => created - times[first] <= _atOnce).Count();
            if (count >= LeastMassDeletion && 2 * count >= points.Count)
            {
                DateTimeOffset since = times[first + count - 1];
                return new DeletionBrake(machineId, since, since + time, string.Create(CultureInfo.InvariantCulture, $"{count} of {Math.Max(points.Count, count)} recovery points were deleted within a day"), BrakeKind.MassDeletion);
            }
        }

        return null;
    }

    private async Task<DeletionBrake?> FindUnusualAsync(MachineId machineId, IReadOnlyList<PointName> points, DateTimeOffset reached, CancellationToken cancellationToken)
    {
        List<PointName> newestFirst = [.. points.Where(name => name.Object is not null).OrderByDescending(name => name.SessionId)];
        int recent = newestFirst.FindLastIndex(name => reached - name.Object!.Value.Created < time) + 1;
        if (recent == 0)
        {
            return null;
        }

        var read = new List<RecoveryPoint>();
        await foreach (PointReading reading in new RecoveryPointCatalog(store).ReadAsync(newestFirst.Take(recent + UnusualBackup.MostHistory), cancellationToken).ConfigureAwait(false))
        {
            read.AddRange(reading.Point is { } point ? [point] : []);
        }

        foreach (RecoveryPoint point in read.Where(point => point.Created is { } created && reached - created < time))
        {
            if (UnusualBackup.Find(point, read) is { } cause)
            {
                return new DeletionBrake(
                    machineId,
                    point.Created!.Value,
                    point.Created.Value + time,
                    $"the backup {point.SessionId.ToShortString()} looks like the work of ransomware: {cause}",
                    BrakeKind.UnusualBackup);
            }
        }

        return null;
    }

    private async Task<bool> IsReleasedAsync(MachineId machineId, DateTimeOffset since, CancellationToken cancellationToken)
    {
        Task<VaultRecords> reading;
        lock (_lock)
        {
            reading = _records ??= VaultRecords.ReadAllAsync(store.Vault, cancellationToken);
        }

        return (await reading.ConfigureAwait(false)).LastRelease(machineId) >= since;
    }
}
