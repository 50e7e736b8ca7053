using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Tells of each damage which points and items suffer by it: goes through the points in order, newest first, and opens of their manifests only the blocks in
/// which something is wrong, and the nodes above them.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="problems">Gets what is wrong, with what suffers.</param>
/// <param name="chunks">The store's chunks.</param>
/// <param name="contents">Knows what is whole.</param>
/// <param name="walk">The walk that found that something is wrong, done.</param>
internal sealed class DamageTrace(ChunkStore store, ProblemList problems, PointChunks chunks, ContentVerifier contents, BlockWalk walk)
{
    /// <summary>Goes through the points.</summary>
    public async Task RunAsync(IReadOnlyList<PointName> names, CancellationToken cancellationToken)
    {
        var manifests = new ManifestWalk(chunks, walk.IsSettledLeaf);
        await foreach (PointReading reading in new RecoveryPointCatalog(store).ReadAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not { } point)
            {
                continue;
            }

            foreach (ChunkId list in point.SkippedItems)
            {
                if (await contents.FindDamageAsync(list, cancellationToken).ConfigureAwait(false) is { } damage)
                {
                    problems.Note(damage, new AffectedItem(point.SessionId, null, null));
                }
            }

            foreach (RecoveryPointSource source in point.Sources)
            {
                await foreach (WalkedLeaf leaf in manifests.ReadAsync(source.Manifest, cancellationToken).ConfigureAwait(false))
                {
                    await TraceAsync(point, source, leaf, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task TraceAsync(RecoveryPoint point, RecoveryPointSource source, WalkedLeaf leaf, CancellationToken cancellationToken)
    {
        var last = new ContentVerifier.LastChunk();
        while (leaf.MoveNext())
        {
            foreach (ItemContent part in leaf.Contents)
            {
                if (await contents.FindDamageAsync(part.Content, last, cancellationToken).ConfigureAwait(false) is { } faults)
                {
                    string? stream = part.IsNamed ? PathText.Show(source.Form, part.Name.Span) : null;
                    var affected = new AffectedItem(point.SessionId, source.ShownPath, SourcePath.Join(source, leaf.Current.Path), stream);
                    foreach (BackupException fault in faults)
                    {
                        // Every point that has the file is named, until there are enough.
                        leaf.IsSettled &= !problems.Note(fault, affected);
                    }
                }
            }
        }

        if (leaf.Damage is { } damage)
        {
            problems.Note(damage, new AffectedItem(point.SessionId, source.ShownPath, null));
        }
    }
}
