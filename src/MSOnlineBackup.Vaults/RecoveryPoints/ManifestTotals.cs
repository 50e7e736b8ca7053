using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What a part of a manifest holds. Sums stay at the largest number where they would pass it: a few sparse files can
/// claim more bytes than 63 bits count.</summary>
/// <param name="Entries">Entries of every kind.</param>
/// <param name="Files">Regular files.</param>
/// <param name="Directories">Folders.</param>
/// <param name="Bytes">Sum of the sizes of files.</param>
internal readonly record struct ManifestTotals(long Entries, long Files, long Directories, long Bytes)
{
    public static ManifestTotals operator +(ManifestTotals left, ManifestTotals right) => new(
        Add(left.Entries, right.Entries),
        Add(left.Files, right.Files),
        Add(left.Directories, right.Directories),
        Add(left.Bytes, right.Bytes));

    /// <summary>The totals of one entry.</summary>
    public static ManifestTotals Of(EntryKind kind, long size) => new(
        1,
        kind == EntryKind.File ? 1 : 0,
        kind == EntryKind.Directory ? 1 : 0,
        kind == EntryKind.File ? size : 0);

    private static long Add(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
