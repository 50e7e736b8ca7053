using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Finds items by a pattern in one recovery point after the other. A block in which nothing matches is read once, however many points have it.
/// </summary>
internal sealed class ItemSearch(IChunkReader chunks, string pattern, bool ignoreCase)
{
    // A pattern is read as the paths of a point are written.
    private readonly Dictionary<PathForm, WildcardPattern> _wildcards = [];

    // A pattern may be about full paths: what does not match below one source may below another.
    private readonly Dictionary<(PathForm Form, string Path), ManifestWalk> _walks = [];

    /// <summary>The items of a point that match.</summary>
    /// <param name="point">The point.</param>
    /// <param name="damaged">Gets what cannot be read, and the search goes on; where it is null, that is thrown.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async IAsyncEnumerable<RecoverableItem> FindAsync(
        RecoveryPoint point, Action<BackupException>? damaged, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (RecoveryPointSource source in point.Sources)
        {
            if (!_walks.TryGetValue((source.Form, source.Path), out ManifestWalk? walk))
            {
                _walks.Add((source.Form, source.Path), walk = new ManifestWalk(chunks));
            }

            if (!_wildcards.TryGetValue(source.Form, out WildcardPattern? wildcard))
            {
                _wildcards.Add(source.Form, wildcard = new WildcardPattern(pattern, ignoreCase, source.Form));
            }

            var path = new SearchedPath(source);
            await foreach (WalkedLeaf leaf in walk.ReadAsync(source.Manifest, cancellationToken).ConfigureAwait(false))
            {
                while (leaf.MoveNext())
                {
                    if (wildcard.IsMatch(path.Of(leaf.Path)))
                    {
                        leaf.IsSettled = false;
                        ManifestEntry entry = leaf.Current;
                        yield return new RecoverableItem(source, entry);
                    }
                }

                if (leaf.Damage is { } damage)
                {
                    (damaged ?? (fault => throw fault))(damage);
                }
            }
        }
    }
}
