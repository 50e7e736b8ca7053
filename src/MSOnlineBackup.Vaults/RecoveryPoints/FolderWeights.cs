using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Sums up what a point adds, by folder. Memory: the folders that are told, at most <see cref="MostFolders"/>.</summary>
/// <param name="depth">How many folders below a source's root are told by themselves; those below them count for them.</param>
/// <param name="mostFolders">So many folders are told at most.</param>
internal sealed class FolderWeights(int depth, int mostFolders = FolderWeights.MostFolders)
{
    /// <summary>So many folders are told at most: where there are more, those that lie deepest are not told by themselves.</summary>
    public const int MostFolders = 50_000;

    private readonly Dictionary<string, FolderWeight> _folders = new(StringComparer.Ordinal);
    private int _depth = depth;

    /// <summary>Adds a difference; what adds no content counts for nothing.</summary>
    public void Add(PointDifference difference)
    {
        if (difference.Item.Entry.Kind != EntryKind.File
            || !(difference.Change == PointChange.Added || (difference.Change == PointChange.Changed && (difference.Aspects & (ItemAspects.Content | ItemAspects.Kind)) != 0) || difference.NewBytes > 0))
        {
            return;
        }

        // A source may be a single file: then it stands for its folder.
        RecoverableItem item = difference.Item;
        ReadOnlySpan<byte> path = item.Entry.Path.Bytes;
        for (int level = 0, end = 0; level <= _depth && end >= 0; level++)
        {
            Add(SourcePath.Join(item.Source, new EntryPath(path[..end].ToArray())), level, difference);
            int next = path[Math.Min(path.Length, end == 0 ? 0 : end + 1)..].IndexOf((byte)'/');
            end = next < 0 ? -1 : next + (end == 0 ? 0 : end + 1);
        }

        while (_folders.Count > mostFolders && _depth > 0)
        {
            foreach (string deepest in _folders.Values.Where(folder => folder.Depth == _depth).Select(folder => folder.Path).ToList())
            {
                _folders.Remove(deepest);
            }

            _depth--;
        }
    }

    /// <summary>The folders, the heaviest first.</summary>
    public IReadOnlyList<FolderWeight> ToList() =>
    [
        .. _folders.Values.OrderByDescending(folder => folder.StoredBytes)
            .ThenByDescending(folder => folder.NewBytes)
            .ThenByDescending(folder => folder.Bytes)
            .ThenBy(folder => folder.Path, StringComparer.Ordinal),
    ];

    private void Add(string folder, int level, PointDifference difference)
    {
        FolderWeight known = _folders.GetValueOrDefault(folder) ?? new FolderWeight(folder, level, 0, 0, 0, 0);
        _folders[folder] = known with
        {
            Files = known.Files + 1,
            Bytes = Sum(known.Bytes, difference.Item.Entry.Size),
            NewBytes = known.NewBytes + (difference.NewBytes ?? 0),
            StoredBytes = known.StoredBytes + (difference.StoredBytes ?? 0),
        };
    }

    // A few sparse files can claim more bytes than 63 bits count.
    private static long Sum(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
