using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>On a folder of Windows, by its Projected File System.</summary>
/// <param name="service">That of the machine.</param>
internal sealed class ProjectionWay(IProjectionService service) : IMountWay
{
    /// <inheritdoc/>
    public string Resolve(string place) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(place));

    /// <inheritdoc/>
    public string Check(string place)
    {
        string folder = Resolve(place);
        if (service.FindObstacle() is { } obstacle)
        {
            throw ProjectionErrors.Unavailable(folder, obstacle);
        }

        try
        {
            return File.Exists(folder) ? throw ProjectionErrors.Folder(folder, "it is a file")
                : Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() ? throw ProjectionErrors.Folder(folder, "it is not empty")
                : folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ProjectionErrors.Folder(folder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <inheritdoc/>
    public Task<IMountedView> StartAsync(IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble)
    {
        if (request.IsWritable)
        {
            throw ProjectionErrors.NotWritable(request.Place);
        }

        try
        {
            service.MakeFolder(request.Place, request.AllowOther);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ProjectionErrors.Folder(request.Place, e.Message.TrimEnd('.'), e);
        }

        return Task.FromResult<IMountedView>(ProjectionMount.Start(service, view, request, clock, trouble));
    }

    /// <inheritdoc/>
    public bool Clean(Guid id, string place)
    {
        if (service.FindObstacle() is not null || !Directory.Exists(place))
        {
            return true;
        }

        int result = service.Start(place, new EmptyProvider(), out IProjection? projection);
        if (result < 0 || projection is null)
        {
            // An ordinary folder, or one that another process shows by now.
            return true;
        }

        using (projection)
        {
            if (projection.Instance != id)
            {
                return true;
            }

            if (!new ProjectionCleaner(service, projection, place).ClearAndPutAside().IsNothing)
            {
                return false;
            }
        }

        try
        {
            service.Renew(place);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is open: the next look may have more luck.
            return false;
        }
    }

    /// <inheritdoc/>
    public BackupException Busy(string place) => ProjectionErrors.Busy(place);
}
