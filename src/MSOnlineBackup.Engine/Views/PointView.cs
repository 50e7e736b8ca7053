using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Views;

/// <summary>A recovery point as a tree of files: its sources at their full paths, as a restore would put them below its target.</summary>
internal sealed class PointView : ItemView
{
    private PointView(ChunkStore store, ViewOptions options)
        : base(store, options)
    {
    }

    /// <summary>Opens a point: of each source, the beginning of what it lists is read.</summary>
    public static async Task<PointView> OpenAsync(ChunkStore store, RecoveryPoint point, ViewOptions options, CancellationToken cancellationToken)
    {
        var view = new PointView(store, options);
        view.RootLead.Entry = Folder(Platform.Items.ItemTime.From(point.Created ?? point.Ended));
        await view.AddAsync(view.RootLead, point, cancellationToken).ConfigureAwait(false);
        return view;
    }
}
