using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>An entry to restore.</summary>
/// <param name="Source">Its source.</param>
/// <param name="Entry">The entry, as the point has it.</param>
/// <param name="Place">Its path below the target, before any renaming.</param>
/// <param name="IsAbove">Whether it is only on the way to what was selected.</param>
internal readonly record struct SelectedEntry(RecoveryPointSource Source, ManifestEntry Entry, EntryPath Place, bool IsAbove = false)
{
    /// <summary>Its full path as a listing shows it.</summary>
    public string FullPath => SourcePath.Join(Source, Entry.Path);
}

/// <summary>What of a recovery point is to be restored: subtrees of its sources, none within another.</summary>
internal sealed class RestoreSelection
{
    private readonly IChunkReader _chunks;
    private readonly List<(RecoveryPointSource Source, EntryPath Subtree)> _parts = [];

    private RestoreSelection(IChunkReader chunks, RestoreLayout layout)
    {
        _chunks = chunks;
        Layout = layout;
    }

    /// <summary>Where below the target items go: as was asked for, but by their full paths where two would get one place.</summary>
    public RestoreLayout Layout { get; private set; }

    /// <summary>Finds what a request names.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound: the point has no such path.</exception>
    public static async Task<RestoreSelection> ResolveAsync(RestoreRequest request, IChunkReader chunks, CancellationToken cancellationToken)
    {
        var selection = new RestoreSelection(chunks, request.Layout);
        var lookup = new PathLookup(chunks, request.Point);
        var wanted = new Dictionary<RecoveryPointSource, SortedSet<EntryPath>>(ReferenceEqualityComparer.Instance);
        foreach (string path in request.Paths.Count == 0 ? ["/"] : request.Paths)
        {
            List<(RecoveryPointSource Source, EntryPath Path)> found =
                await lookup.FindAsync(path, withSourcesBelow: true, cancellationToken).ConfigureAwait(false);
            foreach ((RecoveryPointSource source, EntryPath subtree) in found)
            {
                if (!wanted.TryGetValue(source, out SortedSet<EntryPath>? subtrees))
                {
                    wanted.Add(source, subtrees = []);
                }

                subtrees.Add(subtree);
            }

            if (found.Count == 0 && request.Paths.Count > 0)
            {
                throw new BackupException(
                    BackupErrorId.RecoverableItemNotFound,
                    $"The recovery point {request.Point.SessionId} has no item '{path}'.",
                    "List the items of the recovery point, and give a full path as the listing shows it.",
                    target: path);
            }
        }

        foreach (RecoveryPointSource source in request.Point.Sources)
        {
            EntryPath? last = null;
            foreach (EntryPath subtree in wanted.GetValueOrDefault(source, []))
            {
                if (last is null || !subtree.IsAtOrBelow(last.Value))
                {
                    selection._parts.Add((source, subtree));
                    last = subtree;
                }
            }
        }

        // One would be mixed with the other, or overwrite it.
        if (selection._parts.Select(part => selection.PlaceOf(part.Source, part.Subtree)).GroupBy(place => place).Any(places => places.Count() > 1))
        {
            selection.Layout = RestoreLayout.FullPath;
        }

        return selection;
    }

    /// <summary>How much is selected.</summary>
    public async ValueTask<ManifestTotals> MeasureAsync(CancellationToken cancellationToken)
    {
        ManifestTotals totals = default;
        foreach ((RecoveryPointSource source, EntryPath subtree) in _parts)
        {
            try
            {
                totals += await new ManifestReader(_chunks, source.Manifest).MeasureAsync(subtree, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException fault) when (fault.IsDamage)
            {
                // The walk meets it again, and reports it.
            }
        }

        return totals;
    }

    /// <summary>All entries selected, source by source, in manifest order, and the folders above them as far as their source has them.</summary>
    /// <param name="reportDamage">Told of parts of a manifest that cannot be read; the reading goes on after them.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async IAsyncEnumerable<SelectedEntry> ReadAsync(Action<SkippedItem> reportDamage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (RecoveryPointSource? Source, EntryPath Subtree) previous = default;
        foreach ((RecoveryPointSource source, EntryPath subtree) in _parts)
        {
            foreach (EntryPath folder in Layout == RestoreLayout.FullPath ? FoldersAbove(subtree) : [])
            {
                bool isDone = source == previous.Source && previous.Subtree.IsAtOrBelow(folder);
                if (!isDone && await new ManifestReader(_chunks, source.Manifest).FindAsync(folder, cancellationToken).ConfigureAwait(false) is { } above)
                {
                    yield return new SelectedEntry(source, above, Join(SourcePath.ToTarget(source), above.Path.Bytes), IsAbove: true);
                }
            }

            previous = (source, subtree);
            ManifestCursor cursor = new ManifestReader(_chunks, source.Manifest).OpenCursor();
            EntryPath place = PlaceOf(source, subtree);
            EntryPath? last = null;
            while (true)
            {
                bool more;
                try
                {
                    more = last is null
                        ? await cursor.SeekAsync(subtree, cancellationToken).ConfigureAwait(false)
                        : await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (BackupException fault) when (fault.IsDamage)
                {
                    // The cursor goes on with the next block.
                    string where = SourcePath.Join(source, last ?? subtree);
                    reportDamage(new SkippedItem(where, fault.Id, $"Items after '{where}' may be missing: {fault.Message}"));
                    last ??= subtree;
                    continue;
                }

                if (!more || !EntryPath.IsAtOrBelow(cursor.Path, subtree.Bytes))
                {
                    break;
                }

                ManifestEntry entry = cursor.Current;
                last = entry.Path;
                yield return new SelectedEntry(source, entry, Join(place, entry.Path.Bytes[subtree.Bytes.Length..].TrimStart((byte)'/')));
            }
        }
    }

    /// <summary>The folders above a path of a source, its root first.</summary>
    internal static IEnumerable<EntryPath> FoldersAbove(EntryPath path)
    {
        for (int length = 0; length >= 0 && !path.IsRoot; length = NextSlash(path, length + 1))
        {
            yield return new EntryPath(path.Bytes[..length].ToArray());
        }

        static int NextSlash(EntryPath path, int from)
        {
            int slash = path.Bytes[from..].IndexOf((byte)'/');
            return slash < 0 ? -1 : from + slash;
        }
    }

    private EntryPath PlaceOf(RecoveryPointSource source, EntryPath subtree) => PlaceOf(Layout, source, subtree);

    /// <summary>Where a selected item itself goes.</summary>
    internal static EntryPath PlaceOf(RestoreLayout layout, RecoveryPointSource source, EntryPath subtree)
    {
        EntryPath full = Join(SourcePath.ToTarget(source), subtree.Bytes);
        return layout == RestoreLayout.FullPath || full.IsRoot ? full : new EntryPath(full.Name.ToArray());
    }

    /// <summary>A place below another one.</summary>
    internal static EntryPath Join(EntryPath place, ReadOnlySpan<byte> below) => below.IsEmpty ? place : place.Append(below);
}
