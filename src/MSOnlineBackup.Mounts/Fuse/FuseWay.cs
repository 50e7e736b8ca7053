using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>On a folder, by FUSE; where a system has none, it says so.</summary>
internal sealed class FuseWay : IMountWay
{
    /// <inheritdoc/>
    public string Resolve(string place) => MountFolder.Resolve(place);

    /// <inheritdoc/>
    public string Check(string place) => MountFolder.Check(place);

    /// <inheritdoc/>
    public async Task<IMountedView> StartAsync(IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble) =>
        request.IsWritable
            ? await LayeredMount.StartAsync(view, request, clock, trouble).ConfigureAwait(false)
            : FuseMount.Start(view, request.Place, new FuseOptions { AllowOther = request.AllowOther }, clock, trouble);

    /// <inheritdoc/>
    public bool Clean(Guid id, string place)
    {
        MountFolder.Clean(place);
        return true;
    }

    /// <inheritdoc/>
    public BackupException Busy(string place) => MountErrors.Busy(place);
}
