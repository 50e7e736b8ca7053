using System.Globalization;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Whether what became of a source's files is what ransomware does: most of them changed or went, far more than usual, what stands in their place is nowhere in the vault, and
/// it cannot be compressed or has other names. One of these alone is an everyday event: photos are new and dense, an update changes many files, a folder that was renamed has
/// everything under other names. Together they are not.
/// </summary>
internal static class UnusualChanges
{
    // Fewer say nothing.
    private const long LeastFiles = 100;
    private const long LeastNewBytes = 1 << 20;

    private const double LeastShare = 0.25;
    private const double LeastRenamed = 0.5;
    private const double LeastUnknown = 0.8;
    private const double LeastGrowth = 5;
    private const double UsualShareFloor = 0.01;

    /// <summary>What is unusual about the files of a backup, with the figures; null where nothing is.</summary>
    /// <param name="point">The backup's point.</param>
    /// <param name="before">The machine's points before it. A source counts once enough of them say what changed in it.</param>
    public static string? Find(RecoveryPoint point, IReadOnlyList<RecoveryPoint> before)
    {
        HashSet<string> known =
        [
            .. point.Sources.Where(source => source.Changes is not null && before.Count(other => Has(other, source.Path)) >= UnusualBackup.LeastHistory).Select(source => source.Path),
        ];
        if (known.Count == 0)
        {
            return null;
        }

        SourceChanges now = ChangesOf(point, known);
        long fresh = FreshBytes(point, known);
        double unknown = Share(fresh, now.ReadBytes);
        double density = UnusualBackup.DensityOf(point);
        if (now.Touched < LeastFiles || fresh < LeastNewBytes || unknown < LeastUnknown)
        {
            return null;
        }

        List<RecoveryPoint> history = [.. before.Where(other => other.Sources.Any(source => source.Changes is not null && known.Contains(source.Path)))];
        double usual = UnusualBackup.Median(history.Select(other => TouchedShare(ChangesOf(other, known))));
        double usualRenamed = UnusualBackup.Median(history.Select(other => RenamedShare(ChangesOf(other, known))));
        bool isEncrypted = density >= UnusualBackup.Incompressible && IsFarOff(TouchedShare(now), LeastShare, usual);
        bool isRenamed = IsFarOff(RenamedShare(now), LeastRenamed, usualRenamed);
        if (!isEncrypted && !isRenamed)
        {
            return null;
        }

        double usualUnknown = UnusualBackup.Median(history.Select(other => (Changes: ChangesOf(other, known), Fresh: FreshBytes(other, known)))
            .Where(other => other.Changes.ReadBytes > 0).Select(other => Share(other.Fresh, other.Changes.ReadBytes)));
        double usualDensity = UnusualBackup.Median(history.Where(other => other.NewBytes > 0).Select(UnusualBackup.DensityOf));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{TouchedShare(now):P0} of {now.Earlier:N0} files were changed or gone, where {usual:P1} are usual, {RenamedShare(now):P0} with a new one beside them, where {usualRenamed:P1} are usual; "
            + $"of what was read {unknown:P0} was not in the vault, where {usualUnknown:P0} is usual, and it compressed to {density:P0} of its size, where {usualDensity:P0} is usual");
    }

    /// <summary>What share of the files that were there are not as they were; null where no source of the point says so.</summary>
    public static (double Touched, double Unknown)? Shares(RecoveryPoint point)
    {
        HashSet<string> all = [.. point.Sources.Where(source => source.Changes is not null).Select(source => source.Path)];
        return all.Count == 0 ? null : (TouchedShare(ChangesOf(point, all)), Share(FreshBytes(point, all), ChangesOf(point, all).ReadBytes));
    }

    private static bool IsFarOff(double share, double least, double usual) => share >= least && share >= LeastGrowth * Math.Max(usual, UsualShareFloor);

    private static bool Has(RecoveryPoint point, string path) => point.Sources.Any(source => source.Path == path && source.Changes is not null);

    private static SourceChanges ChangesOf(RecoveryPoint point, HashSet<string> paths) => point.Sources
        .Where(source => source.Changes is not null && paths.Contains(source.Path))
        .Aggregate(new SourceChanges(0, 0, 0, 0, 0, 0), (sum, source) => sum + source.Changes!);

    // What is new of sources that are not judged is taken for theirs, as much as it can be: one that was just added raises no alarm.
    private static long FreshBytes(RecoveryPoint point, HashSet<string> paths) => Math.Max(
        0,
        point.Sources.Where(source => source.Changes is null || !paths.Contains(source.Path)).Aggregate(
            point.NewBytes,
            (left, source) => left - Math.Min(left, source.Changes?.ReadBytes ?? source.Manifest.Bytes)));

    private static double TouchedShare(SourceChanges changes) => Share(changes.Touched, changes.Earlier);

    private static double RenamedShare(SourceChanges changes) => Share(changes.Renamed, changes.Earlier);

    private static double Share(long part, long all) => Math.Min(1, (double)part / Math.Max(1, all));
}
