using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What a backup would take, by the same walk and the same comparison, without reading content or writing anything.</summary>
/// <param name="store">The store.</param>
/// <param name="request">What is to be backed up.</param>
/// <param name="note">Gets what a backup would note.</param>
internal sealed class BackupPreview(ChunkStore store, BackupRequest request, Action<string> note)
{
    public async IAsyncEnumerable<BackupPreviewItem> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        MachineId machineId = await new MachineDirectory(store.Vault).FindIdAsync(request.MachineName, store.Keys, cancellationToken).ConfigureAwait(false);
        await using Earlier earlier = await Earlier.FindAsync(new RecoveryPointCatalog(store), machineId, cancellationToken).ConfigureAwait(false);
        OwnFolders own = OwnFolders.Find(store.Objects.Location, request.OwnFolders);
        BackupSource.Tree[] sources = [.. request.Sources.OfType<BackupSource.Tree>()];
        SourceVerdicts verdicts = await SourceVerdicts.FindAsync(request, OperatingSystem.IsLinux() ? MountTable.Read() : [], earlier, cancellationToken).ConfigureAwait(false);
        IReadOnlyDictionary<int, int> covered = SourceTrees.FindCovered([.. sources.Select(source => (source.Path, source.Selection))]);
        bool anyTaken = false;
        BackupException? firstLoss = null;
        for (int i = 0; i < sources.Length; i++)
        {
            BackupSource.Tree source = sources[i];
            if (covered.TryGetValue(i, out int outer))
            {
                note(BackupJob.NoteOfCovered(source.Path, sources[outer].Path));
                continue;
            }

            BackupException? loss = null;
            bool isTaken = false;
            await using IAsyncEnumerator<BackupPreviewItem> items = WalkAsync(source, verdicts, own, earlier, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (loss is null)
            {
                try
                {
                    if (!await items.MoveNextAsync().ConfigureAwait(false))
                    {
                        break;
                    }
                }
                catch (BackupException e) when (BackupJob.IsOfSource(e))
                {
                    loss = e;
                }

                isTaken = loss is null;
                yield return loss is null
                    ? items.Current
                    : new BackupPreviewItem(source.Path, EntryKind.Directory, 0, PreviewChange.Unreadable, loss, IsLostSource: true);
            }

            anyTaken |= isTaken;
            firstLoss ??= loss;
        }

        // The backup would make no point either.
        if (!anyTaken && firstLoss is not null)
        {
            throw firstLoss;
        }
    }

    private async IAsyncEnumerable<BackupPreviewItem> WalkAsync(
        BackupSource.Tree source, SourceVerdicts verdicts, OwnFolders own, Earlier earlier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SourceVerdict verdict = verdicts.Of(source);
        if (verdict.Refusal is { } refusal)
        {
            throw refusal;
        }

        if (verdict.Warning is { } warning)
        {
            note(warning);
        }

        using ISourceTree tree = SourceTrees.Open(source.Path, verdicts.SelectionOf(source), own);
        if (tree.IsLeftOut)
        {
            note(BackupJob.NoteOfLeftOut(source.Path));
            yield break;
        }

        if (tree.Warning is { } doubt)
        {
            note(doubt);
        }

        string path = EntryName.Escape(tree.RootPath.Span);
        IReadOnlyList<string> paths = BackupJob.PathsOf(source, path);
        RecoveryPointSource? previous = (await earlier.PreviousAsync(paths).ConfigureAwait(false))?.Source;
        if (previous is { IsMountPoint: true } && !tree.IsMountPoint && !request.ReadEverything)
        {
            throw MountRule.NotMounted(SourcePath.FromStored(PathText.Local, path));
        }

        var baseline = new Baseline(store, previous?.Manifest, earlier.CheckpointOf(paths)?.Manifest);
        EntryPath? unmounted = null;
        foreach (SourceItem item in tree.Walk(cancellationToken))
        {
            if (unmounted is { } folder && item.Entry.Path.IsAtOrBelow(folder))
            {
                continue;
            }

            if (item.Note is { } said)
            {
                note(said);
            }

            KnownEntries known = await baseline.AdvanceToAsync(item.Entry.Path, cancellationToken).ConfigureAwait(false);
            string shown = SourcePath.Join(PathText.Local, path, item.Entry.Path);
            BackupException? failure = item.Failure ?? SourceReader.Refuse(request.Rules, item.Entry, shown);
            if (failure is null && source.Selection.CrossMountPoints && MountRule.IsUnmounted(item, known, request))
            {
                unmounted = item.Entry.Path;
                failure = MountRule.NotMounted(shown);
            }

            yield return new BackupPreviewItem(
                shown, item.Entry.Kind, item.Entry.Size, failure is null ? Compare(item, known) : PreviewChange.Unreadable, failure);
        }
    }

    private PreviewChange Compare(SourceItem item, KnownEntries known) =>
        !request.ReadEverything && known.Matching(item.Entry) is not null ? PreviewChange.Unchanged
        : known.Previous is null ? PreviewChange.New
        : PreviewChange.Changed;
}
