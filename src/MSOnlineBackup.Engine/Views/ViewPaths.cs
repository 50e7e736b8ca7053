using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Views;

/// <summary>Items of a view by the paths that people know them by.</summary>
public static class ViewPaths
{
    /// <summary>The item of a point's view by its full path, as it was backed up, or as listings show it; null where there is none. Links are not followed.</summary>
    /// <param name="view">The view of the point.</param>
    /// <param name="point">The point.</param>
    /// <param name="path">The path.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask<ViewItem?> FindPathAsync(this IItemView view, RecoveryPoint point, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(path);
        foreach (PathForm form in point.Sources.Select(source => source.Form).Distinct())
        {
            EntryPath place = SourcePath.Typed(form, path);
            if (EntryPath.IsValid(place.Bytes) && await FindAsync(view, place, cancellationToken).ConfigureAwait(false) is { } item)
            {
                return item;
            }
        }

        return null;
    }

    private static async ValueTask<ViewItem?> FindAsync(IItemView view, EntryPath place, CancellationToken cancellationToken)
    {
        ViewItem item = view.Root;
        for (int start = 0; start < place.Bytes.Length;)
        {
            int length = place.Bytes[start..].IndexOf((byte)'/');
            byte[] name = (length < 0 ? place.Bytes[start..] : place.Bytes.Slice(start, length)).ToArray();
            if (await view.FindAsync(item.Id, name, cancellationToken).ConfigureAwait(false) is not { } below)
            {
                return null;
            }

            (item, start) = (below, start + name.Length + 1);
        }

        return item;
    }
}
