using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>A view that is mounted, and the layer over it that can be written to.</summary>
internal sealed class LayeredMount : IMountedView
{
    private readonly FuseMount _below;
    private readonly MountLayer _layer;
    private readonly TimeProvider _clock;

    private LayeredMount(FuseMount below, MountLayer layer, string folder, TimeProvider clock) => (_below, _layer, Folder, _clock) = (below, layer, folder, clock);

    /// <inheritdoc/>
    public string Folder { get; }

    /// <inheritdoc/>
    public Task Ended => _below.Ended;

    /// <inheritdoc/>
    public bool IsOver => Ended.IsCompleted || !MountFolder.IsMounted(Folder);

    /// <inheritdoc/>
    public TimeSpan Idle => _below.Idle;

    /// <summary>Mounts both. Others see the view by its own permissions, so that the layer has them, too.</summary>
    public static async Task<LayeredMount> StartAsync(IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble)
    {
        MountLayer layer = MountLayer.Prepare(request.Layer, request.Place);
        FuseMount below = FuseMount.Start(view, layer.Below, new FuseOptions { AllowOther = true }, clock, trouble);
        try
        {
            layer.Lay();
            return new LayeredMount(below, layer, request.Place, clock);
        }
        catch
        {
            await below.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(bool force)
    {
        await _layer.LiftAsync(force, _clock).ConfigureAwait(false);

        // Nobody comes to what is below but by the layer.
        await _below.StopAsync(force: true).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _layer.LiftAsync(force: true, _clock).ConfigureAwait(false);
        await _below.DisposeAsync().ConfigureAwait(false);
    }
}
