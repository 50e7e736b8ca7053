using MSOnlineBackup.Engine.Views;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>Where an item is in a view: itself, and the place of the folder that holds it; null for the root's.</summary>
internal sealed record ServedPlace(ViewItem Item, ServedPlace? Folder)
{
    /// <summary>The place of the folder at a depth, 0 being the root's; null where it is not that deep.</summary>
    public ServedPlace? At(int depth)
    {
        var chain = new List<ServedPlace>();
        for (ServedPlace? place = this; place is not null; place = place.Folder)
        {
            chain.Add(place);
        }

        return depth < chain.Count ? chain[^(depth + 1)] : null;
    }
}

/// <summary>An item as clients see it: of a symbolic link, what it leads to.</summary>
/// <param name="Name">Its name, as text; empty for the root.</param>
/// <param name="Place">Where it really is.</param>
/// <param name="Above">The folder in which clients see it; null for the root.</param>
internal sealed record ServedItem(string Name, ServedPlace Place, ServedItem? Above)
{
    /// <summary>The number in the view of what clients see: of a link, its own.</summary>
    public ulong Id { get; init; }

    /// <summary>What it is.</summary>
    public ViewItem Item => Place.Item;

    /// <summary>Whether it holds others.</summary>
    public bool IsFolder => Item.IsFolder;

    /// <summary>Whether a folder is on the way to this item, or is it.</summary>
    public bool IsWithin(ViewItem folder)
    {
        for (ServedItem? item = this; item is not null; item = item.Above)
        {
            if (item.Item.Id == folder.Id)
            {
                return true;
            }
        }

        return false;
    }
}
