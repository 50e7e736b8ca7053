using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>What is to be mounted, and where.</summary>
/// <param name="Id">The mount's id. What is left of it is known by it.</param>
/// <param name="Place">Where, as <see cref="IMountWay.Check"/> gave it.</param>
/// <param name="Layer">A path at which what is written may be kept; nothing is there yet.</param>
internal sealed record MountRequest(Guid Id, string Place, string Layer)
{
    /// <summary>Whether it can be written to, into a layer that goes when the mount goes.</summary>
    public bool IsWritable { get; init; }

    /// <summary>Whether other users see it.</summary>
    public bool AllowOther { get; init; }

    /// <summary>Whether the view is one of all points.</summary>
    public bool IsOfAllPoints { get; init; }
}

/// <summary>A way in which a system mounts views.</summary>
internal interface IMountWay
{
    /// <summary>A place by the name that a mount's record has.</summary>
    string Resolve(string place);

    /// <summary>Refuses a place that does not serve.</summary>
    /// <returns>Its name, as <see cref="Resolve"/> gives it.</returns>
    /// <exception cref="BackupException">MountUnavailable, MountFolderInvalid.</exception>
    string Check(string place);

    /// <summary>Mounts a view.</summary>
    /// <param name="view">The view. It must live as long as the mount.</param>
    /// <param name="request">What, and where.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="trouble">Is told what could not be read: the path in the point, and why. From any thread.</param>
    /// <exception cref="BackupException">MountUnavailable, MountFolderInvalid, MountFailed: nothing is mounted.</exception>
    Task<IMountedView> StartAsync(IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble);

    /// <summary>Takes off what a killed process has left; nothing where nothing is left. Nothing else is ever taken off.</summary>
    /// <param name="id">The mount's id.</param>
    /// <param name="place">Where it was.</param>
    /// <returns>False where something is left still, for the next look.</returns>
    bool Clean(Guid id, string place);

    /// <summary>Somebody is in a mount.</summary>
    BackupException Busy(string place);
}
