using System.Globalization;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Whether a backup looks as it would after ransomware: very many files changed into something that nobody knows, very much of the source is new and cannot be compressed, or
/// very many files are gone, each far off what this machine's backups were before. By what recovery points say of themselves, so anybody who can read them comes to the same.
/// </summary>
public static class UnusualBackup
{
    /// <summary>By how many earlier points a backup is judged at most.</summary>
    public const int MostHistory = 30;

    // Fewer say nothing.
    internal const int LeastHistory = 7;

    // What is encrypted does not shrink, and is padded.
    internal const double Incompressible = 0.9;

    private const long LeastNewBytes = 16 << 20;
    private const long LeastFiles = 100;
    private const double LeastShare = 0.25;
    private const double LeastGrowth = 10;
    private const double LeastTouched = 0.25;
    private const double LeastUnknown = 0.8;
    private const double UsualShareFloor = 0.005;
    private const double ShrinkTo = 0.5;

    /// <summary>What is unusual about a backup, with the figures; null where nothing is.</summary>
    /// <param name="point">The backup's point.</param>
    /// <param name="earlier">The machine's points before it, in any order. Those of other sources do not count.</param>
    public static string? Find(RecoveryPoint point, IEnumerable<RecoveryPoint> earlier)
    {
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(earlier);
        if (WorkloadTags.AreOn(point))
        {
            // A log is new each time, and a database changes as much as there was to do.
            return null;
        }

        HashSet<string> sources = [.. point.Sources.Select(source => source.Path)];
        List<RecoveryPoint> before = [.. earlier.Where(other => other.SessionId < point.SessionId && !WorkloadTags.AreOn(other)).OrderByDescending(other => other.SessionId)];
        List<RecoveryPoint> alike = [.. before.Where(other => sources.SetEquals(other.Sources.Select(source => source.Path))).Take(MostHistory)];
        string?[] causes = alike.Count < LeastHistory
            ? [UnusualChanges.Find(point, [.. before.Take(MostHistory)])]
            : [UnusualChanges.Find(point, [.. before.Take(MostHistory)]), FindInBytes(point, alike), FindLoss(point, alike)];
        return causes.OfType<string>().ToList() is { Count: > 0 } found ? string.Join("; ", found) : null;
    }

    /// <summary>To what share of their size new bytes were compressed.</summary>
    internal static double DensityOf(RecoveryPoint point) => (double)point.StoredBytes / Math.Max(1, point.NewBytes);

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }

    private static string? FindInBytes(RecoveryPoint point, List<RecoveryPoint> alike)
    {
        double usual = Median(alike.Select(ShareOf));
        double share = ShareOf(point);
        double density = DensityOf(point);

        // Where the files that were there are as they were, what is new has come beside them. Points of earlier versions do not say.
        bool isBeside = UnusualChanges.Shares(point) is { } shares && (shares.Touched < LeastTouched || shares.Unknown < LeastUnknown);
        if (isBeside
            || point.NewBytes < LeastNewBytes
            || share < LeastShare
            || share < LeastGrowth * Math.Max(usual, UsualShareFloor)
            || density < Incompressible)
        {
            return null;
        }

        double usualDensity = Median(alike.Where(other => other.NewBytes > 0).Select(DensityOf));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{share:P0} of the data were new, where {usual:P1} are usual, and compressed to {density:P0} of their size, where {usualDensity:P0} is usual");
    }

    private static string? FindLoss(RecoveryPoint point, List<RecoveryPoint> alike)
    {
        double usual = Median(alike.Select(other => (double)FilesOf(other)));
        return usual >= LeastFiles && FilesOf(point) <= ShrinkTo * usual
            ? string.Create(CultureInfo.InvariantCulture, $"{FilesOf(point):N0} files were left, where {usual:N0} are usual")
            : null;
    }

    private static double ShareOf(RecoveryPoint point) => (double)point.NewBytes / Math.Max(1, point.Sources.Sum(source => source.Manifest.Bytes));

    private static long FilesOf(RecoveryPoint point) => point.Sources.Sum(source => source.Manifest.Files);
}
