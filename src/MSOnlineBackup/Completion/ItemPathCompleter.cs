using System.Collections;
using System.Management.Automation;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Recovery;

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

        string root = parent is null or { IsWholePoint: true } ? "" : parent.ItemNameGuid.TrimEnd('/') + "/";
        string typed = root + Word;
        string folder = typed[..(typed.LastIndexOf('/') + 1)];
        return ArchiveQuery.Run(item, async (archive, stop) =>
            (await ListAsync(archive, item.RecoveryPointId, folder.Length > 1 ? folder.TrimEnd('/') : folder, stop).ConfigureAwait(false))
                .Where(found => found.FullPath.StartsWith(root, StringComparison.Ordinal))
                .Select(found => (found.FullPath[root.Length..], found.Entry.Kind.ToString()))
                .ToList());
    }

    private static OBRecoverableItem? ItemOf(object? given) =>
        given is not null && LanguagePrimitives.TryConvertTo(given, out OBRecoverableItem item) ? item : null;

    private static async Task<List<RecoverableItem>> ListAsync(RecoveryArchive archive, string pointId, string folder, CancellationToken stop)
    {
        RecoveryPoint point = await archive.FindAsync(pointId, stop).ConfigureAwait(false);
        try
        {
            return await archive.Engine.ListItemsAsync(point, folder, recursive: false, stop).Take(Most).ToListAsync(stop).ConfigureAwait(false);
        }
        catch (BackupException outside) when (outside.Id == BackupErrorId.RecoverableItemNotFound)
        {
            // Not in a source yet.
            return await archive.Engine.ListItemsAsync(point, null, recursive: false, stop).Take(Most).ToListAsync(stop).ConfigureAwait(false);
        }
    }
}
