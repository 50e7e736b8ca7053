namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>How the files of a source differ from those in the recovery point that they were compared with. Folders, links and the like do not count.</summary>
/// <param name="Earlier">Files that the earlier point has.</param>
/// <param name="New">Files at paths where it has none.</param>
/// <param name="Changed">Files that it has in another state, or as something else now.</param>
/// <param name="Gone">Files that it has and that are not there any more.</param>
/// <param name="Renamed">As many of the new ones as files went from the same folder: names that may have taken the place of others.</param>
/// <param name="ReadBytes">Bytes of the new and the changed files; each once, however many names it has.</param>
public sealed record SourceChanges(long Earlier, long New, long Changed, long Gone, long Renamed, long ReadBytes)
{
    /// <summary>Earlier files that are not as they were.</summary>
    public long Touched => Changed + Gone;

    /// <summary>Those of two sources together.</summary>
    public static SourceChanges operator +(SourceChanges left, SourceChanges right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new SourceChanges(
            Add(left.Earlier, right.Earlier),
            Add(left.New, right.New),
            Add(left.Changed, right.Changed),
            Add(left.Gone, right.Gone),
            Add(left.Renamed, right.Renamed),
            Add(left.ReadBytes, right.ReadBytes));
    }

    // A few sparse files can claim more bytes than 63 bits count.
    private static long Add(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
