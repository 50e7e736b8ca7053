using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What of a local point is to be restored: subtrees of its sources, none within another, as they are seen in its snapshots.</summary>
internal sealed class LocalSelection : IDisposable
{
    private readonly List<(RecoveryPointSource Source, LocalSourceState State, ISourceTree Tree)> _sources = [];
    private readonly List<(RecoveryPointSource Source, ISourceTree Tree, EntryPath Subtree)> _parts = [];

    private LocalSelection(RestoreLayout layout) => Layout = layout;

    /// <summary>Where below the target items go: as was asked for, but by their full paths where two would get one place.</summary>
    public RestoreLayout Layout { get; private set; }

    /// <summary>Finds what a request names.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound: the point has no such path. SnapshotUnavailable: its snapshots cannot be read.</exception>
    public static LocalSelection Resolve(
        LocalPoint local, RecoveryPoint point, RestoreRequest request, IReadOnlyDictionary<string, (SnapshotMark Mark, byte[] Place)> places, CancellationToken cancellationToken)
    {
        var selection = new LocalSelection(request.Layout);
        try
        {
            for (int i = 0; i < point.Sources.Count; i++)
            {
                LocalSourceState state = local.Written.Sources[i];
                selection._sources.Add((point.Sources[i], state, SourceTrees.Open(
                    PathText.Show(PathText.Local, EntryName.Unescape(state.Path)), state.Selection.ToSelection(), OwnFolders.None, ViewOf(state, places))));
            }

            selection.Select(local, request, cancellationToken);
            return selection;
        }
        catch
        {
            selection.Dispose();
            throw;
        }
    }

    /// <summary>All items selected, source by source, in the order of manifests, and the folders above them as far as their source has them. Each is good until the next is asked for.</summary>
    public IEnumerable<(RecoveryPointSource Source, SourceItem Item, EntryPath Place, bool IsAbove)> Read(CancellationToken cancellationToken)
    {
        (RecoveryPointSource? Source, EntryPath Subtree) previous = default;
        foreach ((RecoveryPointSource source, ISourceTree tree, EntryPath subtree) in _parts)
        {
            foreach (EntryPath folder in Layout == RestoreLayout.FullPath ? RestoreSelection.FoldersAbove(subtree) : [])
            {
                bool isDone = source == previous.Source && previous.Subtree.IsAtOrBelow(folder);
                if (!isDone && Walk(tree, folder, cancellationToken).FirstOrDefault() is { } above)
                {
                    yield return (source, above, RestoreSelection.Join(SourcePath.ToTarget(source), folder.Bytes), true);
                }
            }

            previous = (source, subtree);
            EntryPath place = RestoreSelection.PlaceOf(Layout, source, subtree);
            foreach (SourceItem item in Walk(tree, subtree, cancellationToken))
            {
                yield return (source, item, RestoreSelection.Join(place, item.Entry.Path.Bytes[subtree.Bytes.Length..].TrimStart((byte)'/')), false);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sources.ForEach(source => source.Tree.Dispose());

    private void Select(LocalPoint local, RestoreRequest request, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<RecoveryPointSource, SortedSet<EntryPath>>(ReferenceEqualityComparer.Instance);
        foreach (string path in request.Paths.Count == 0 ? ["/"] : request.Paths)
        {
            bool isFound = false;
            foreach ((RecoveryPointSource source, LocalSourceState state, ISourceTree tree) in _sources)
            {
                EntryPath place = SourcePath.Typed(source.Form, path);
                EntryPath? subtree = SourcePath.IsAtOrAbove(source, place, ignoreCase: false) ? EntryPath.Root
                    : SourcePath.TryRelate(source, place, ignoreCase: false, out EntryPath below) && Has(state, tree, below, cancellationToken) ? below
                    : null;
                if (subtree is { } found)
                {
                    wanted.TryAdd(source, []);
                    wanted[source].Add(found);
                    isFound = true;
                }
            }

            if (!isFound)
            {
                throw new BackupException(
                    BackupErrorId.RecoverableItemNotFound,
                    $"The local snapshots of the point {local.Id} have no item '{path}'.",
                    "Give a full path as it was backed up. What was in no snapshot can be restored from the vault only.",
                    target: path);
            }
        }

        foreach ((RecoveryPointSource source, _, ISourceTree tree) in _sources)
        {
            EntryPath? last = null;
            foreach (EntryPath subtree in wanted.GetValueOrDefault(source, []))
            {
                if (last is null || !subtree.IsAtOrBelow(last.Value))
                {
                    _parts.Add((source, tree, subtree));
                    last = subtree;
                }
            }
        }

        // One would be mixed with the other, or overwrite it.
        if (_parts.Select(part => RestoreSelection.PlaceOf(Layout, part.Source, part.Subtree)).GroupBy(place => place).Any(places => places.Count() > 1))
        {
            Layout = RestoreLayout.FullPath;
        }
    }

    // What a folder above it leaves out is not in the point, though the snapshot has it.
    private static bool Has(LocalSourceState state, ISourceTree tree, EntryPath path, CancellationToken cancellationToken)
    {
        ExclusionRules rules = ExclusionRules.Compile(state.Selection.Exclude, EntryName.Unescape(state.Path), filePatterns: state.Selection.ExcludeFiles);
        return (path.Parent.IsRoot || !rules.LeavesOut(path.Parent.Bytes)) && Walk(tree, path, cancellationToken).Any();
    }

    private static IEnumerable<SourceItem> Walk(ISourceTree tree, EntryPath path, CancellationToken cancellationToken) =>
        path.IsRoot ? tree.Walk(cancellationToken) : tree.LookAgain(path, cancellationToken);

    private static SourceView ViewOf(LocalSourceState state, IReadOnlyDictionary<string, (SnapshotMark Mark, byte[] Place)> places)
    {
        byte[]? root = null;
        var below = new Dictionary<EntryPath, SourcePlace>();
        foreach (LocalPartState part in state.Parts)
        {
            EntryPath path = new(EntryName.Unescape(part.Path));
            byte[]? place = part.Snapshot is { } name && places.TryGetValue(name, out (SnapshotMark Mark, byte[] Place) found)
                ? SnapshotKit.Move(EntryName.Unescape(part.Live), EntryName.Unescape(found.Mark.Volume), found.Place)
                : null;
            if (path.IsRoot)
            {
                root = place;
            }
            else
            {
                below[path] = new SourcePlace(place ?? [], part.IsMountPoint) { IsEntered = place is not null };
            }
        }

        return new SourceView(root!, below, new Dictionary<ulong, ulong>()) { StandsAlone = true };
    }
}
