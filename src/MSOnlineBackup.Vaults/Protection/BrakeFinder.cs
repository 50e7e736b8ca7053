using System.Globalization;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Looks, before anything of a machine ends for good, whether something happened lately that its owner should see first: a backup that looks as after ransomware, or many of its
/// points deleted at once. Nobody has to report it, for it is read off the vault; times are those of the store.
/// </summary>
/// <param name="store">The chunk store.</param>
/// <param name="time">For how long something puts a brake on deletion.</param>
internal sealed class BrakeFinder(ChunkStore store, TimeSpan time)
{
    private const int LeastMassDeletion = 5;

    private static readonly TimeSpan _atOnce = TimeSpan.FromDays(1);

    /// <summary>The brake that holds for a machine; null for none.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="points">Its points that are there, deleted or not.</param>
    /// <param name="decisions">What was decided on its points.</param>
    /// <param name="reached">Up to when the vault bears out that time has passed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<DeletionBrake?> FindAsync(
        MachineId machineId, IReadOnlyList<PointName> points, IReadOnlyList<DeletionSeries> decisions, DateTimeOffset reached, CancellationToken cancellationToken)
    {
        if (time <= TimeSpan.Zero)
        {
            return null;
        }

        DeletionBrake? found = FindMassDeletion(machineId, points, decisions, reached)
            ?? await FindUnusualAsync(machineId, points, reached, cancellationToken).ConfigureAwait(false);
        return found is null || await IsReleasedAsync(found, cancellationToken).ConfigureAwait(false) ? null : found;
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
                return new DeletionBrake(machineId, since, since + time, string.Create(CultureInfo.InvariantCulture, $"{count} of {Math.Max(points.Count, count)} recovery points were deleted within a day"));
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
                    machineId, point.Created!.Value, point.Created.Value + time, $"the backup {point.SessionId.ToShortString()} looks like the work of ransomware: {cause}");
            }
        }

        return null;
    }

    private async Task<bool> IsReleasedAsync(DeletionBrake brake, CancellationToken cancellationToken)
    {
        IReadOnlyList<uint> numbers = await VaultRecords.ListAsync(store.Objects, cancellationToken).ConfigureAwait(false);
        VaultRecords records = await VaultRecords.ReadAsync(store.Vault, numbers, cancellationToken).ConfigureAwait(false);
        return records.Releases.Any(release => release.Machine == brake.MachineId.ToString() && release.Before >= brake.Since);
    }
}
