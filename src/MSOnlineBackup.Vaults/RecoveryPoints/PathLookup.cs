using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Finds what a full path names in a recovery point. In points of Windows capital and small letters are the same, as they are there; where two items differ by
/// nothing else, the one that is written as the path is, is meant.
/// </summary>
internal sealed class PathLookup(IChunkReader chunks, RecoveryPoint point)
{
    /// <summary>Every source and entry that a path names; none where nothing has it.</summary>
    /// <param name="path">The path, as somebody typed it.</param>
    /// <param name="withSourcesBelow">Whether a folder above a source names the source: the whole of it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask<List<(RecoveryPointSource Source, EntryPath Path)>> FindAsync(
        string path, bool withSourcesBelow, CancellationToken cancellationToken)
    {
        var found = new List<(RecoveryPointSource, EntryPath)>();
        var others = new List<(RecoveryPointSource Source, EntryPath Place)>();
        foreach (RecoveryPointSource source in point.Sources)
        {
            EntryPath place = SourcePath.Typed(source.Form, path);
            bool ignoreCase = source.Form == PathForm.Windows;
            if (withSourcesBelow && SourcePath.IsAtOrAbove(source, place, ignoreCase))
            {
                found.Add((source, EntryPath.Root));
            }
            else if (SourcePath.TryRelate(source, place, ignoreCase: false, out EntryPath below)
                && await new ManifestReader(chunks, source.Manifest).FindAsync(below, cancellationToken).ConfigureAwait(false) is not null)
            {
                found.Add((source, below));
            }
            else if (ignoreCase)
            {
                others.Add((source, place));
            }
        }

        if (found.Count > 0)
        {
            return found;
        }

        foreach ((RecoveryPointSource source, EntryPath place) in others)
        {
            if (SourcePath.TryRelate(source, place, ignoreCase: true, out EntryPath below)
                && await FindAsync(new ManifestReader(chunks, source.Manifest), EntryPath.Root, below, cancellationToken).ConfigureAwait(false) is { } match)
            {
                found.Add((source, match));
            }
        }

        return found;
    }

    // Name by name; where several are alike, the first below which all the others are found.
    private static async ValueTask<EntryPath?> FindAsync(ManifestReader manifest, EntryPath folder, EntryPath below, CancellationToken cancellationToken)
    {
        if (below.IsRoot)
        {
            return await manifest.FindAsync(folder, cancellationToken).ConfigureAwait(false) is null ? null : folder;
        }

        int slash = below.Bytes.IndexOf((byte)'/');
        EntryPath first = slash < 0 ? below : new EntryPath(below.Bytes[..slash].ToArray());
        EntryPath rest = slash < 0 ? EntryPath.Root : new EntryPath(below.Bytes[(slash + 1)..].ToArray());
        EntryPath exact = folder.Append(first.Bytes);
        if (await FindAsync(manifest, exact, rest, cancellationToken).ConfigureAwait(false) is { } found)
        {
            return found;
        }

        var alike = new List<EntryPath>();
        await foreach (ManifestEntry child in manifest.ListChildrenAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            if (child.Path != exact && CaselessName.AreEqual(child.Path.Name, first.Bytes))
            {
                alike.Add(child.Path);
            }
        }

        foreach (EntryPath candidate in alike)
        {
            if (await FindAsync(manifest, candidate, rest, cancellationToken).ConfigureAwait(false) is { } match)
            {
                return match;
            }
        }

        return null;
    }
}
