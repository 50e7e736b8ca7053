using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>An item of a drive, and the way on which it was come to.</summary>
/// <param name="Folder">The folder that it is in; null for the root.</param>
/// <param name="Item">The item.</param>
internal sealed record DrivePlace(DrivePlace? Folder, ViewItem Item)
{
    /// <summary>Its name in paths of the drive; empty for the root.</summary>
    public string Name { get; } = DrivePath.Show(Item.Name.Span);

    /// <summary>How many folders are above it.</summary>
    public int Depth { get; } = Folder is null ? 0 : Folder.Depth + 1;

    /// <summary>Whether it stands for a whole recovery point.</summary>
    public bool IsPoint => Item.PointId is not null && Folder?.Item.PointId is null && Item.Entry.Kind == EntryKind.Directory;

    /// <summary>Whether listings leave it out unless they are told to take all.</summary>
    public bool IsHidden =>
        Item.Form == PathForm.Windows ? Item.Entry.WindowsAttributes?.HasFlag(FileAttributes.Hidden) == true : Item.Name.Span is [(byte)'.', ..];

    /// <summary>The full path in its recovery point, as listings show it; empty for the point itself, and above all points.</summary>
    public string FullPath
    {
        get
        {
            if (Item.Source is { } source)
            {
                return new RecoverableItem(source, Item.Entry).FullPath;
            }

            // A folder that only leads to sources.
            var names = new Stack<ReadOnlyMemory<byte>>();
            for (DrivePlace? place = this; place?.Folder?.Item.PointId is not null; place = place.Folder)
            {
                names.Push(place.Item.Name);
            }

            if (names.Count == 0)
            {
                return "";
            }

            string below = string.Join(Item.Form == PathForm.Windows ? '\\' : '/', names.Select(name => PathText.Show(Item.Form, name.Span)));
            return Item.Form != PathForm.Windows ? $"/{below}" : names.Peek().Length == 1 ? $"{below[..1]}:\\{below[1..].TrimStart('\\')}" : $@"\\{below}";
        }
    }

    /// <summary>Whether a folder is on the way to this one, or is it.</summary>
    public bool LeadsThrough(ulong folder)
    {
        for (DrivePlace? place = this; place is not null; place = place.Folder)
        {
            if (place.Item.Id == folder)
            {
                return true;
            }
        }

        return false;
    }
}
