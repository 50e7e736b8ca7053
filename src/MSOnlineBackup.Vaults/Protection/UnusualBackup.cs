using System.Globalization;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Whether a backup looks as it would after ransomware: very much of the source is new and cannot be compressed, or very many files are gone, both far off what this
/// machine's backups were before. By what recovery points say of themselves, so anybody who can read them comes to the same.
/// </summary>
public static class UnusualBackup
{
    /// <summary>By how many earlier points a backup is judged at most.</summary>
    public const int MostHistory = 30;

    // Fewer say nothing.
    private const int LeastHistory = 7;
    private const long LeastNewBytes = 16 << 20;
    private const long LeastFiles = 100;
    private const double LeastShare = 0.25;
    private const double LeastGrowth = 10;

    // What is encrypted does not shrink, and is padded.
    private const double Incompressible = 0.9;
    private const double UsualShareFloor = 0.005;
    private const double ShrinkTo = 0.5;

    /// <summary>What is unusual about a backup, with the figures; null where nothing is.</summary>
    /// <param name="point">The backup's point.</param>
    /// <param name="earlier">The machine's points before it, in any order. Those of other sources do not count.</param>
    public static string? Find(RecoveryPoint point, IEnumerable<RecoveryPoint> earlier)
    {
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(earlier);
        HashSet<string> sources = [.. point.Sources.Select(source => source.Path)];
        List<RecoveryPoint> alike =
        [
            .. earlier.Where(other => other.SessionId < point.SessionId && sources.SetEquals(other.Sources.Select(source => source.Path)))
                .OrderByDescending(other => other.SessionId)
                .Take(MostHistory),
        ];
        if (alike.Count < LeastHistory)
        {
            return null;
        }

        double usual = Median(alike.Select(ShareOf));
        double share = ShareOf(point);
        double density = (double)point.StoredBytes / Math.Max(1, point.NewBytes);
        if (point.NewBytes >= LeastNewBytes && share >= LeastShare && share >= LeastGrowth * Math.Max(usual, UsualShareFloor) && density >= Incompressible)
        {
            double usualDensity = Median(alike.Where(other => other.NewBytes > 0).Select(other => (double)other.StoredBytes / other.NewBytes));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{share:P0} of the data were new, where {usual:P1} are usual, and compressed to {density:P0} of their size, where {usualDensity:P0} is usual");
        }

        double usualFiles = Median(alike.Select(other => (double)FilesOf(other)));
        return usualFiles >= LeastFiles && FilesOf(point) <= ShrinkTo * usualFiles
            ? string.Create(CultureInfo.InvariantCulture, $"{FilesOf(point):N0} files were left, where {usualFiles:N0} are usual")
            : null;
    }

    private static double ShareOf(RecoveryPoint point) => (double)point.NewBytes / Math.Max(1, point.Sources.Sum(source => source.Manifest.Bytes));

    private static long FilesOf(RecoveryPoint point) => point.Sources.Sum(source => source.Manifest.Files);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }
}
