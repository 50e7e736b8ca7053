using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>A file of a view as a disk.</summary>
/// <param name="View">The view.</param>
/// <param name="File">The file.</param>
/// <param name="Name">The name by which clients ask for it; empty where any client may have it, by the empty name.</param>
internal sealed record NbdExport(IItemView View, ViewItem File, Secret Name)
{
    /// <summary>Its size, in bytes.</summary>
    public long Size => File.Entry.Size;

    /// <summary>What it can. Several connections see the same, as nothing changes.</summary>
    public static NbdFeatures Features => NbdFeatures.HasFlags | NbdFeatures.ReadOnly | NbdFeatures.CanMultiConnect;
}
