using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>A recovery point, or all points of a vault, open for drives: all drives that show the same share it. Thread-safe.</summary>
/// <param name="loan">The vault, lent as long as somebody uses this.</param>
/// <param name="view">What it shows.</param>
internal sealed class RecoveryVolume(VaultLoan loan, IItemView view) : IDisposable
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    /// <summary>What it shows.</summary>
    public IItemView View => view;

    /// <summary>How many use it; <see cref="RecoveryVolumes"/> counts.</summary>
    public int Users { get; set; }

    /// <summary>The folder that holds everything.</summary>
    public DrivePlace Root => new(null, view.Root);

    /// <summary>What lies at a path; null where nothing does.</summary>
    /// <param name="names">The names on the way.</param>
    /// <param name="followsLast">Whether a link at its end stands for what it leads to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <remarks>
    /// Links lead to places of the same point, also absolute ones. One that leads back to a folder on the way is not followed: there would be no end of paths.
    /// </remarks>
    public async ValueTask<DrivePlace?> FindAsync(IReadOnlyList<string> names, bool followsLast, CancellationToken cancellationToken)
    {
        DrivePlace? place = Root;
        var passed = new HashSet<ulong> { place.Item.Id };
        for (int i = 0; i < names.Count && place is not null; i++)
        {
            place = await WalkAsync(place, names[i], followsLast || i + 1 < names.Count, cancellationToken).ConfigureAwait(false);
            if (place is { Item.IsFolder: true } && !passed.Add(place.Item.Id))
            {
                return null;
            }
        }

        return place;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        view.Dispose();
        loan.Dispose();
    }

    // From a folder to what a name stands for, by way of links where they are followed. What they name is walked through like what was typed.
    private async ValueTask<DrivePlace?> WalkAsync(DrivePlace from, string typed, bool follows, CancellationToken cancellationToken)
    {
        DrivePlace? place = await StepAsync(from, typed, cancellationToken).ConfigureAwait(false);
        var ahead = new Stack<string>();
        for (int links = 0; place is not null;)
        {
            if (place.Item.Entry.Kind == EntryKind.SymbolicLink && (follows || ahead.Count > 0))
            {
                if (++links > MostLinks)
                {
                    return null;
                }

                (bool isAbsolute, string[] names) = DrivePath.OfLink(place.Item.Form, place.Item.Entry.LinkTarget.Span);
                place = isAbsolute ? TopOf(place.Folder!) : place.Folder!;
                foreach (string name in names.Reverse())
                {
                    ahead.Push(name);
                }
            }
            else if (!ahead.TryPop(out string? next))
            {
                break;
            }
            else if (next == "..")
            {
                // As on a machine, where nothing is above the root.
                place = place.IsPoint ? place : place.Folder ?? place;
            }
            else if (next != ".")
            {
                place = await StepAsync(place, next, cancellationToken).ConfigureAwait(false);
            }
        }

        return place;
    }

    // The folder of the point that a place is of.
    private static DrivePlace TopOf(DrivePlace place)
    {
        while (!place.IsPoint && place.Folder is { } folder)
        {
            place = folder;
        }

        return place;
    }

    private async ValueTask<DrivePlace?> StepAsync(DrivePlace folder, string name, CancellationToken cancellationToken)
    {
        if (!folder.Item.IsFolder)
        {
            return null;
        }

        if (await view.FindAsync(folder.Item.Id, DrivePath.Read(name), cancellationToken).ConfigureAwait(false) is { } item)
        {
            return new DrivePlace(folder, item);
        }

        if (folder.Item.Form != PathForm.Windows)
        {
            return null;
        }

        // On Windows capital and small letters are the same; which are there, only the list says.
        ulong after = 0;
        for (ViewPage page = default; !page.IsLast;)
        {
            page = await view.ListAsync(folder.Item.Id, after, 1024, cancellationToken).ConfigureAwait(false);
            foreach (ViewItem each in page.Items)
            {
                if (DrivePath.Show(each.Name.Span).Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return new DrivePlace(folder, each);
                }
            }

            after = page.Items.Count > 0 ? page.Items[^1].Id : after;
        }

        return null;
    }
}
