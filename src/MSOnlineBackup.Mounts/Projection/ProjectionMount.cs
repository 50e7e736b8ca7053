using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>A view that a folder of Windows shows.</summary>
internal sealed class ProjectionMount : IMountedView
{
    private static readonly TimeSpan _leaving = TimeSpan.FromSeconds(2);

    private readonly IProjectionService _service;
    private readonly IProjection _projection;
    private readonly ProjectedView _view;
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _stopping = new(1);
    private bool _isShown = true;
    private bool _isCleared;

    private ProjectionMount(IProjectionService service, IProjection projection, ProjectedView view, string folder, TimeProvider clock) =>
        (_service, _projection, _view, Folder, _clock) = (service, projection, view, folder, clock);

    /// <inheritdoc/>
    public string Folder { get; }

    /// <inheritdoc/>
    public Task Ended => _ended.Task;

    /// <inheritdoc/>
    public bool IsOver => Ended.IsCompleted;

    /// <inheritdoc/>
    public TimeSpan Idle => _view.Idle;

    /// <summary>Marks the folder with the mount's id, and has it show the view.</summary>
    /// <exception cref="BackupException">MountFolderInvalid, MountFailed: the folder is as it was.</exception>
    public static ProjectionMount Start(IProjectionService service, IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble)
    {
        int result = service.Mark(request.Place, request.Id);
        if (result < 0)
        {
            throw ProjectionErrors.Refused(request.Place, result);
        }

        var shown = new ProjectedView(view, request.IsOfAllPoints, service, clock, ServerErrors.ToTrouble(trouble));
        result = service.Start(request.Place, shown, out IProjection? projection);
        if (result < 0 || projection is null)
        {
            shown.Dispose();
            Renew(service, request.Place);
            throw ProjectionErrors.Refused(request.Place, result);
        }

        return new ProjectionMount(service, projection, shown, request.Place, clock);
    }

    /// <summary>Makes an ordinary folder of one that is empty.</summary>
    /// <exception cref="BackupException">MountBusy: it is open still.</exception>
    public static void Renew(IProjectionService service, string folder)
    {
        try
        {
            service.Renew(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ProjectionErrors.Left(folder, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(bool force)
    {
        await _stopping.WaitAsync().ConfigureAwait(false);
        try
        {
            LeftInFolder? left = null;
            if (_isShown)
            {
                left = await ClearAsync(force).ConfigureAwait(false);
                if (!force && !left.IsNothing)
                {
                    // It goes on as if nothing had been asked.
                    _view.IsEmpty = false;
                    throw ProjectionErrors.Busy(Folder, left);
                }

                _isShown = false;
                _view.Cancel();
                await Task.Run(_projection.Dispose).ConfigureAwait(false);
                _view.Dispose();
                _ended.TrySetResult();
            }

            if (left is { IsNothing: false })
            {
                throw ProjectionErrors.Left(Folder, $"'{left.Busy.Concat(left.Foreign).First()}' is open");
            }

            if (!_isCleared)
            {
                Renew(_service, Folder);
                _isCleared = true;
            }
        }
        finally
        {
            _stopping.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(force: true).ConfigureAwait(false);

    // Whoever has just left may be in it for a moment still.
    private async Task<LeftInFolder> ClearAsync(bool force)
    {
        _view.IsEmpty = true;
        var cleaner = new ProjectionCleaner(_service, _projection, Folder);
        for (long start = _clock.GetTimestamp(); ;)
        {
            LeftInFolder left = await Task.Run(() => force ? cleaner.ClearAndPutAside() : cleaner.Clear()).ConfigureAwait(false);
            if (left.Busy.Count == 0 || left.Foreign.Count > 0 || _clock.GetElapsedTime(start) >= _leaving)
            {
                return left;
            }

            await Task.Delay(_leaving / 20, _clock).ConfigureAwait(false);
        }
    }
}
