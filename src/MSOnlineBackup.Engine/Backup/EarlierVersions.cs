using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What cannot be read is not absent: what the last point has of it stays, flagged.</summary>
internal sealed class EarlierVersions(SourceDrafts drafts, Baseline baseline, ChangeCounter changes)
{
    /// <summary>Takes an item that cannot be read, and all that the last point has below it.</summary>
    public async ValueTask TakeUnreadableAsync(ManifestEntry entry, KnownEntries known, BackupException failure)
    {
        if (failure.Id == BackupErrorId.SourceItemVanished)
        {
            drafts.Skip(entry, failure);
            return;
        }

        drafts.Skip(entry, failure);
        await KeepAsync(entry, known.Previous).ConfigureAwait(false);
        if (baseline.Lost is { } damage)
        {
            SkipLost(entry, damage);
        }

        if ((known.Previous?.Kind ?? entry.Kind) == EntryKind.Directory)
        {
            IAsyncEnumerable<ManifestEntry> all = baseline.ReadBelowAsync(entry.Path, lost => SkipLost(entry, lost), CancellationToken.None);
            await foreach (ManifestEntry below in all.ConfigureAwait(false))
            {
                changes.NoteKept(below);
                drafts.Scope.Monitor.AddItem(below.Kind == EntryKind.File);
                await drafts.SendAsync(new Draft.Complete(below with { Flags = below.Flags | EntryFlags.KeptFromEarlier })).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Keeps the earlier version of an item, and where there is none, its place.</summary>
    public ValueTask KeepAsync(ManifestEntry entry, ManifestEntry? previous)
    {
        drafts.Scope.Monitor.AddItem(entry.Kind == EntryKind.File);
        return drafts.SendAsync(new Draft.Complete(previous is not null
            ? previous with { Flags = previous.Flags | EntryFlags.KeptFromEarlier }
            : entry with { Flags = EntryFlags.Unreadable }));
    }

    private void SkipLost(ManifestEntry folder, BackupException lost)
    {
        string path = drafts.Full(folder);
        drafts.Scope.Skip(path, new BackupException(
            lost.Id,
            $"'{path}' cannot be read now, and part of its copy in the last recovery point cannot be read from the vault: {lost.Message}",
            "Make the folder readable, then back up again. Earlier points keep what they have of it.",
            path));
    }
}
