using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What a backup would take, by the same walk and the same comparison, without reading content or writing anything.</summary>
internal sealed class BackupPreview(ChunkStore store, BackupRequest request)
{
    public async IAsyncEnumerable<BackupPreviewItem> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string machineId = store.Header.MachineId(request.MachineName);
        await using Earlier earlier = await Earlier.FindAsync(new RecoveryPointCatalog(store), machineId, cancellationToken).ConfigureAwait(false);
        OwnFolders own = OwnFolders.Find(store.Objects.Location, request.OwnFolders);
        BackupSource.Tree[] sources = [.. request.Sources.OfType<BackupSource.Tree>()];
        IReadOnlyDictionary<int, int> covered = SourceTrees.FindCovered([.. sources.Select(source => (source.Path, source.Selection))]);
        foreach (BackupSource.Tree source in sources.Where((_, i) => !covered.ContainsKey(i)))
        {
            using ISourceTree tree = SourceTrees.Open(source.Path, source.Selection, own);
            if (tree.IsLeftOut)
            {
                continue;
            }

            string path = EntryName.Escape(tree.RootPath.Span);
            var baseline = new Baseline(store, (await earlier.PreviousAsync(path).ConfigureAwait(false))?.Manifest, earlier.CheckpointOf(path)?.Manifest);
            foreach (SourceItem item in tree.Walk(cancellationToken))
            {
                KnownEntries known = await baseline.AdvanceToAsync(item.Entry.Path, cancellationToken).ConfigureAwait(false);
                yield return new BackupPreviewItem(SourcePath.Join(PathText.Local, path, item.Entry.Path), item.Entry.Kind, item.Entry.Size, Compare(item, known));
            }
        }
    }

    private PreviewChange Compare(SourceItem item, KnownEntries known) => item switch
    {
        { Failure: not null } => PreviewChange.Unreadable,
        _ when !request.ReadEverything && known.Matching(item.Entry) is not null => PreviewChange.Unchanged,
        _ => known.Previous is null ? PreviewChange.New : PreviewChange.Changed,
    };
}
