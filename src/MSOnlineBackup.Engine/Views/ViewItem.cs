using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Views;

/// <summary>An item of a view: one of a recovery point, or a folder that only leads there.</summary>
/// <param name="Id">Its number in the view, from 1, which is the root. The same item has the same number as long as the view is open; it says nothing in another one.</param>
/// <param name="Name">Its raw name in the folder that it is in; empty for the view's root.</param>
/// <param name="Entry">What it is. Of a folder that only leads to others: mode 555, and the times of the point.</param>
/// <param name="Form">How its names are to be read: those of Windows are UTF-8.</param>
/// <param name="FileNumber">Equal for all names of one file, where the point knows them to be one.</param>
public sealed record ViewItem(ulong Id, ReadOnlyMemory<byte> Name, ManifestEntry Entry, PathForm Form, ulong FileNumber)
{
    /// <summary>Whether it holds others.</summary>
    public bool IsFolder => Entry.Kind == Platform.Items.EntryKind.Directory;

    /// <summary>The id of the recovery point that it is of, or stands for; null above all points.</summary>
    public SessionId? PointId { get; init; }

    /// <summary>The recovery point that it is of; null above all points, and of one that nobody has looked into yet.</summary>
    public RecoveryPoint? Point { get; init; }

    /// <summary>The source that it is an item of; null for a folder that only leads to others.</summary>
    public RecoveryPointSource? Source { get; init; }

    /// <summary>Its full path for people, as it was backed up; its name, where it only leads to what was.</summary>
    public string FullPath => Source is null ? ShownName : new RecoverableItem(Source, Entry).FullPath;

    /// <summary>Its name for people.</summary>
    public string ShownName => PathText.Show(Form, Name.Span);
}
