using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>Answers what Windows asks of a view that a folder shows. All is only read.</summary>
internal sealed class ProjectedView : IProjectionProvider, IDisposable
{
    private readonly ProjectedTree _tree;
    private readonly IProjectionService _names;
    private readonly UseClock _use;
    private readonly Action<Exception> _trouble;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Guid, ProjectedListing> _listings = [];
    private volatile bool _isEmpty;

    /// <param name="view">The view.</param>
    /// <param name="isOfAllPoints">Whether it is one of all points.</param>
    /// <param name="names">How Windows orders and compares names.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="trouble">Is told what cannot be read, and of bugs. From any thread.</param>
    public ProjectedView(IItemView view, bool isOfAllPoints, IProjectionService names, TimeProvider clock, Action<Exception> trouble)
    {
        (_names, _use, _trouble) = (names, new UseClock(clock), trouble);
        _tree = new ProjectedTree(new ServedTree(view, isOfAllPoints), Comparer<string>.Create(names.Compare), clock, trouble);
    }

    /// <summary>For how long nobody has asked for anything.</summary>
    public TimeSpan Idle => _use.Idle;

    /// <summary>
    /// Whether it shows nothing any more, so that whoever looks into the folder finds only what lies on the disk, and may remove it.
    /// </summary>
    public bool IsEmpty
    {
        get => _isEmpty;
        set => _isEmpty = value;
    }

    /// <inheritdoc/>
    public int StartListing(string path, Guid session) => Answer(async stop =>
    {
        ProjectedFolder? folder = null;
        if (!_isEmpty && (folder = await _tree.OpenAsync(path, stop).ConfigureAwait(false)) is null)
        {
            return ProjectionResult.PathNotFound;
        }

        _listings[session] = new ProjectedListing(folder, _names);
        return ProjectionResult.Ok;
    });

    /// <inheritdoc/>
    public int List(Guid session, string? search, bool isRestarted, IProjectedEntries entries) =>
        Answer(_ => ValueTask.FromResult(_listings.TryGetValue(session, out ProjectedListing? listing) ? listing.Next(search, isRestarted, entries) : ProjectionResult.InvalidParameter));

    /// <inheritdoc/>
    public int EndListing(Guid session)
    {
        _listings.TryRemove(session, out _);
        return ProjectionResult.Ok;
    }

    /// <inheritdoc/>
    public int GetInfo(string path, IProjection projection) => Answer(async stop =>
        !_isEmpty && await _tree.FindAsync(path, stop).ConfigureAwait(false) is { } entry
            ? projection.WriteInfo(ProjectedTree.Rename(path, entry.Name), entry.Info)
            : ProjectionResult.NotFound);

    /// <inheritdoc/>
    public int Find(string path) => Answer(async stop => await IsThereAsync(path, stop).ConfigureAwait(false) ? ProjectionResult.Ok : ProjectionResult.NotFound);

    /// <inheritdoc/>
    public int GetData(string path, Guid stream, long offset, long length, IProjection projection) => Answer(async stop =>
    {
        if (_isEmpty)
        {
            return ProjectionResult.Unavailable;
        }

        if (await _tree.FindAsync(path, stop).ConfigureAwait(false) is not { } entry)
        {
            return ProjectionResult.NotFound;
        }

        // What stands for damage cannot be read, so that who copies the folder hears of it.
        return entry.Id == 0 ? ProjectionResult.Damaged
            : await _tree.GetAsync(path, stop).ConfigureAwait(false) is { IsFolder: false } file
                ? await ProjectedContent.WriteAsync(_tree.View, file, stream, offset, length, projection, stop).ConfigureAwait(false)
                : ProjectionResult.NotFound;
    });

    /// <inheritdoc/>
    public int Notify(string path, ProjectionNotice notice) => Answer(async stop => notice switch
    {
        ProjectionNotice.NewFileCreated => ProjectionResult.Ok,

        // Nothing comes in from elsewhere. What somebody has put here they may rename and remove.
        ProjectionNotice.PreDelete or ProjectionNotice.PreRename or ProjectionNotice.PreSetHardLink or ProjectionNotice.PreConvertToFull =>
            !_isEmpty && (path.Length == 0 || await IsThereAsync(path, stop).ConfigureAwait(false)) ? ProjectionResult.AccessDenied : ProjectionResult.Ok,
        _ => ProjectionResult.Ok,
    });

    /// <summary>Ends what is still being answered.</summary>
    public void Cancel() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async ValueTask<bool> IsThereAsync(string path, CancellationToken stop) => !_isEmpty && await _tree.FindAsync(path, stop).ConfigureAwait(false) is not null;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "A bug fails one request, and is told; the others are answered.")]
    private int Answer(Func<CancellationToken, ValueTask<int>> answer)
    {
        _use.Note();
        try
        {
#pragma warning disable VSTHRD002 // A thread of Windows that only asks: nothing waits for it but whoever reads.
            return answer(_stop.Token).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        }
        catch (BackupException e)
        {
            _trouble(e);
            return e.IsOfOneObject || e.Id == BackupErrorId.RestoreItemFailed ? ProjectionResult.Damaged
                : e.Id == BackupErrorId.RecoverableItemNotFound ? ProjectionResult.NotFound
                : e.Id == BackupErrorId.VaultUnreachable ? ProjectionResult.Unavailable
                : ProjectionResult.DeviceError;
        }
        catch (OperationCanceledException)
        {
            return ProjectionResult.Aborted;
        }
        catch (Exception e)
        {
            _trouble(e);
            return ProjectionResult.DeviceError;
        }
    }
}
