using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>The items of a folder as clients see them, a page at a time. Damage is kept, and the listing goes on.</summary>
internal sealed class FolderListing(ServedTree tree, ServedItem folder)
{
    private const int PageLength = 512;

    private ulong _last;

    /// <summary>Whether there are no more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The first damage that was met; null where there was none.</summary>
    public BackupException? Damage { get; private set; }

    /// <summary>Some more items; there may be none among those that were looked at.</summary>
    /// <exception cref="BackupException">The folder cannot be read at all; VaultUnreachable, ….</exception>
    public async Task<IReadOnlyList<ServedItem>> NextAsync(CancellationToken cancellationToken)
    {
        ViewPage page = await tree.View.ListAsync(folder.Item.Id, _last, PageLength, cancellationToken).ConfigureAwait(false);
        Damage ??= page.Damage;
        IsOver = page.IsLast;
        var shown = new List<ServedItem>(page.Items.Count);
        foreach (ViewItem item in page.Items)
        {
            _last = item.Id;
            try
            {
                if (await tree.ShowAsync(folder, item, cancellationToken).ConfigureAwait(false) is { } served)
                {
                    shown.Add(served);
                }
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                // Where a link leads lies in what is damaged.
                Damage ??= e;
            }
        }

        return shown;
    }
}
