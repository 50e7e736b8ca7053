using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Capacity;

/// <summary>What the recovery points of a chunk store say of how its machines change.</summary>
/// <param name="ProtectedBytes">Bytes in the newest point of each machine and policy; null where there is none.</param>
/// <param name="DailyChange">The share of them that a day brought anew, from 0 to 1; null where no two points are far enough apart.</param>
/// <param name="ReductionRatio">Bytes that were new for one that was stored; null where nothing was stored.</param>
/// <param name="StoredBytes">What the chunk store takes now.</param>
/// <param name="AgeDays">For how many days it has been backed up to.</param>
/// <param name="FreeBytes">What the disk of the vault has free; null where the vault is no folder of a disk.</param>
public sealed record CapacityMeasurement(long? ProtectedBytes, double? DailyChange, double? ReductionRatio, long StoredBytes, int AgeDays, long? FreeBytes)
{
    // More of the past says less of the present.
    private const int MostPoints = 60;

    private static readonly TimeSpan _shortest = TimeSpan.FromHours(1);

    /// <summary>Measures: reads the points and lists what is stored, and no data.</summary>
    /// <param name="vault">The vault, by the key of the chunk store.</param>
    /// <param name="now">The time now.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="Vaults.Errors.BackupException">VaultUnreachable, …</exception>
    public static async Task<CapacityMeasurement> TakeAsync(UnlockedVault vault, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Task<RecoveryPointList> listing = vault.ListPointsAsync(null, cancellationToken);
        Task<long> measuring = vault.MeasureStoreAsync(cancellationToken);
        await Task.WhenAll(listing, measuring).ConfigureAwait(false);
        return Of(await listing.ConfigureAwait(false), await measuring.ConfigureAwait(false), FreeOf(vault.Vault.Location), now);
    }

    /// <summary>The same of points that were read.</summary>
    internal static CapacityMeasurement Of(IEnumerable<RecoveryPoint> points, long storedBytes, long? freeBytes, DateTimeOffset now)
    {
        List<RecoveryPoint[]> series =
            [.. points.GroupBy(SeriesOf).Select(of => of.OrderByDescending(TimeOf).Take(MostPoints).ToArray())];
        if (series.Count == 0)
        {
            return new CapacityMeasurement(null, null, null, storedBytes, 0, freeBytes);
        }

        long newBytes = series.Sum(of => of.Sum(point => point.NewBytes));
        long taken = series.Sum(of => of.Sum(point => point.StoredBytes));
        long held = series.Sum(of => BytesOf(of[0]));
        double? daily = null;
        foreach (RecoveryPoint[] of in series.Where(of => TimeOf(of[0]) - TimeOf(of[^1]) >= _shortest))
        {
            daily = (daily ?? 0) + (of[..^1].Sum(point => point.NewBytes) / (TimeOf(of[0]) - TimeOf(of[^1])).TotalDays);
        }

        return new CapacityMeasurement(
            held,
            daily is { } bytes && held > 0 ? Math.Min(bytes / held, 1) : null,
            taken > 0 && newBytes > 0 ? Math.Clamp((double)newBytes / taken, 0.1, 1000) : null,
            storedBytes,
            Math.Max(0, (int)(now - series.Min(of => TimeOf(of[^1]))).TotalDays),
            freeBytes);
    }

    private static (MachineId Machine, PolicyKind? Policy) SeriesOf(RecoveryPoint point) =>
        (point.MachineId, point.Tags.Select(tag => RetentionTag.TryParse(tag, out RetentionTag? read) ? read.Policy : (PolicyKind?)null).FirstOrDefault(policy => policy is not null));

    // A share of Windows has no drive that could be asked.
    private static long? FreeOf(string location) => new VaultAddress(location).IsRemote || location.StartsWith(@"\\", StringComparison.Ordinal)
        ? null
        : Scratch.FreeBytes(Path.GetFullPath(location));

    private static long BytesOf(RecoveryPoint point) => point.Sources.Sum(source => source.Manifest.Bytes);

    private static DateTimeOffset TimeOf(RecoveryPoint point) => point.Created ?? point.Ended;
}
