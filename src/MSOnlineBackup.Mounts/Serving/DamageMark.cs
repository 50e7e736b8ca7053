using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>
/// What stands in a folder of which not all items can be read: a file that cannot be read either. Clients pass over errors of a listing, or show none of what there is;
/// this a person sees, and a program that copies the folder reports it, and copies the rest.
/// </summary>
internal static class DamageMark
{
    /// <summary>Its name.</summary>
    public const string Name = "(Some items of this folder are damaged)";

    /// <summary>The damage that the mark in a folder stands for; null where the folder has none, or a file of its own by this name.</summary>
    public static async Task<BackupException?> FindAsync(ServedTree tree, IReadOnlyList<byte[]> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0
            || !names[^1].AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(Name))
            || await tree.FindAsync(names.SkipLast(1), cancellationToken).ConfigureAwait(false) is not { IsFolder: true } folder)
        {
            return null;
        }

        var listing = new FolderListing(tree, folder);
        while (!listing.IsOver && listing.Damage is null)
        {
            await listing.NextAsync(cancellationToken).ConfigureAwait(false);
        }

        return listing.Damage;
    }
}
