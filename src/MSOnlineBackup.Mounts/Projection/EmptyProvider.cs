using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>Has nothing: a folder that shows it has only what lies on the disk, and that may be removed.</summary>
internal sealed class EmptyProvider : IProjectionProvider
{
    /// <inheritdoc/>
    public int StartListing(string path, Guid session) => ProjectionResult.Ok;

    /// <inheritdoc/>
    public int List(Guid session, string? search, bool isRestarted, IProjectedEntries entries) => ProjectionResult.Ok;

    /// <inheritdoc/>
    public int EndListing(Guid session) => ProjectionResult.Ok;

    /// <inheritdoc/>
    public int GetInfo(string path, IProjection projection) => ProjectionResult.NotFound;

    /// <inheritdoc/>
    public int Find(string path) => ProjectionResult.NotFound;

    /// <inheritdoc/>
    public int GetData(string path, Guid stream, long offset, long length, IProjection projection) => ProjectionResult.Unavailable;

    /// <inheritdoc/>
    public int Notify(string path, ProjectionNotice notice) => ProjectionResult.Ok;
}
