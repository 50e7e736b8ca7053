using System.Collections;
using System.Management.Automation;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Completion;

/// <summary>
/// Completes paths inside the recovery point that is on the command line already, folder by folder: full paths from its sources on, or, where the
/// item below which the path is meant was given, the path from there.
/// </summary>
public sealed class ItemPathCompleter : ValueCompleter
{
    private const int Most = 200;

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        OBRecoverableItem? parent = ItemOf(bound["OBRecoverableItem"]);
        if ((parent ?? ItemOf(bound["RecoveryPoint"])) is not { } item)
        {
            return [];
        }

        return ArchiveQuery.Run(item, async (archive, stop) =>
        {
            RecoveryPoint point = await archive.FindAsync(item.RecoveryPointId, stop).ConfigureAwait(false);
            bool windows = point.Form == PathForm.Windows;
            string root = parent is null or { IsWholePoint: true } ? "" : PathText.Join(point.Form, parent.ItemNameGuid, "");
            string typed = root + Word;
            string folder = typed[..((windows ? typed.LastIndexOfAny(['\\', '/']) : typed.LastIndexOf('/')) + 1)];
            return (await ListAsync(archive, point, folder, stop).ConfigureAwait(false))
                .Where(found => found.FullPath.StartsWith(root, windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal))
                .Select(found => (found.FullPath[root.Length..], found.Entry.Kind.ToString()))
                .ToList();
        });
    }

    private static OBRecoverableItem? ItemOf(object? given) =>
        given is not null && LanguagePrimitives.TryConvertTo(given, out OBRecoverableItem item) ? item : null;

    private static async Task<List<RecoverableItem>> ListAsync(RecoveryArchive archive, RecoveryPoint point, string folder, CancellationToken stop)
    {
        try
        {
            return await archive.ListItemsAsync(point, folder, recursive: false, stop).Take(Most).ToListAsync(stop).ConfigureAwait(false);
        }
        catch (BackupException outside) when (outside.Id == BackupErrorId.RecoverableItemNotFound)
        {
            // Not in a source yet.
            return await archive.ListItemsAsync(point, null, recursive: false, stop).Take(Most).ToListAsync(stop).ConfigureAwait(false);
        }
    }
}
