using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>
/// A view as Windows is shown it: folders by paths whose names are told apart as Windows does. Folders that were listed are kept, up to a number of items in all. Thread-safe.
/// </summary>
/// <param name="tree">The view.</param>
/// <param name="order">The order of names in Windows.</param>
/// <param name="clock">The clock.</param>
/// <param name="trouble">Is told what is damaged.</param>
internal sealed class ProjectedTree(ServedTree tree, IComparer<string> order, TimeProvider clock, Action<Exception> trouble)
{
    private readonly Lock _gate = new();
    // By the path as it was said: however else it may be written, it is listed once more.
    private readonly Dictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private long _uses;
    private int _entries;

    /// <summary>The view.</summary>
    public IItemView View => tree.View;

    /// <summary>How many items of listed folders are kept at most; the folder that was listed last always is.</summary>
    public int MostEntries { get; init; } = 200_000;

    /// <summary>The folder at a path; null where there is none.</summary>
    /// <param name="path">Below the root, with backslashes; empty for the root.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask<ProjectedFolder?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        if (FindKept(path) is { } kept)
        {
            return kept;
        }

        ServedItem? item = path.Length == 0 ? tree.Root : await GetAsync(path, cancellationToken).ConfigureAwait(false);
        if (item is not { IsFolder: true })
        {
            return null;
        }

        ProjectedFolder folder = await ProjectedFolder.ListAsync(tree, item, order, trouble, cancellationToken).ConfigureAwait(false);
        Keep(path, folder);
        return folder;
    }

    /// <summary>The item at a path, with its name as the view has it; null where there is none.</summary>
    public async ValueTask<ProjectedEntry?> FindAsync(string path, CancellationToken cancellationToken)
    {
        (string above, string name) = Split(path);
        return await OpenAsync(above, cancellationToken).ConfigureAwait(false) is { } folder ? folder.Find(name) : null;
    }

    /// <summary>What the item at a path leads to; null where there is none, and for what stands for damage.</summary>
    public async ValueTask<ServedItem?> GetAsync(string path, CancellationToken cancellationToken)
    {
        (string above, string name) = Split(path);
        return await OpenAsync(above, cancellationToken).ConfigureAwait(false) is { } folder && folder.Find(name) is { Id: > 0 } entry
            ? await tree.ShowAsync(folder.Item, await tree.View.GetAsync(entry.Id, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>A path with the name that the view has at its end.</summary>
    public static string Rename(string path, string name) => Split(path).Above is { Length: > 0 } above ? $@"{above}\{name}" : name;

    private static (string Above, string Name) Split(string path) => path.LastIndexOf('\\') is >= 0 and int end ? (path[..end], path[(end + 1)..]) : ("", path);

    private ProjectedFolder? FindKept(string path)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(path, out Kept? kept))
            {
                return null;
            }

            if (clock.GetElapsedTime(kept.Listed) >= kept.Lasts)
            {
                Forget(path, kept);
                return null;
            }

            kept.Used = ++_uses;
            return kept.Folder;
        }
    }

    private void Keep(string path, ProjectedFolder folder)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(path, out Kept? before))
            {
                Forget(path, before);
            }

            while (_kept.Count > 0 && _entries + folder.Entries.Count > MostEntries)
            {
                (string oldest, Kept kept) = _kept.MinBy(one => one.Value.Used);
                Forget(oldest, kept);
            }

            _kept.Add(path, new Kept(folder, clock.GetTimestamp(), tree.View.Lasts(folder.Item.Item.Id)) { Used = ++_uses });

            // An empty one takes room, too.
            _entries += folder.Entries.Count + 1;
        }
    }

    private void Forget(string path, Kept kept)
    {
        _kept.Remove(path);
        _entries -= kept.Folder.Entries.Count + 1;
    }

    private sealed record Kept(ProjectedFolder Folder, long Listed, TimeSpan Lasts)
    {
        public long Used { get; set; }
    }
}
