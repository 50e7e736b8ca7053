using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What a machine has in the vault already: its points, read as far back as they are needed, and the newest checkpoint since.</summary>
internal sealed class Earlier : IAsyncDisposable
{
    /// <summary>A source that is in none of this many points is taken for new.</summary>
    private const int MaxPoints = 32;

    private readonly IAsyncEnumerator<RecoveryPoint> _further;
    private readonly List<RecoveryPoint> _points = [];

    private Earlier(IAsyncEnumerator<RecoveryPoint> points) => _further = points;

    /// <summary>The newest point.</summary>
    public RecoveryPoint? Point => _points.Count == 0 ? null : _points[0];

    /// <summary>Where an interrupted job stood.</summary>
    public RecoveryPoint? Checkpoint { get; private set; }

    public static async Task<Earlier> FindAsync(RecoveryPointCatalog catalog, MachineId machineId, CancellationToken cancellationToken)
    {
        Task<List<StoredObject>> listing = catalog.ListCheckpointsAsync(cancellationToken);
        Task<(Earlier Earlier, SessionId? Newest)> reading = ReadNewestAsync(catalog, machineId, cancellationToken);
        await Task.WhenAll(listing, reading).ConfigureAwait(false);
        List<StoredObject> checkpoints = await listing.ConfigureAwait(false);
        (Earlier earlier, SessionId? newest) = await reading.ConfigureAwait(false);
        earlier.Checkpoint = await catalog.FindCheckpointAsync(checkpoints, machineId, newest, cancellationToken).ConfigureAwait(false);
        return earlier;
    }

    /// <summary>A source as the newest point that has it knows it.</summary>
    /// <param name="paths">The paths under which it may be there; where a point has it under several, the first counts.</param>
    public async ValueTask<EarlierSource?> PreviousAsync(IReadOnlyList<string> paths)
    {
        int next = 0;
        do
        {
            for (; next < _points.Count; next++)
            {
                if (Find(_points[next], paths) is { } found)
                {
                    return new EarlierSource(_points[next].SessionId, found);
                }
            }
        }
        while (next < MaxPoints && await ReadFurtherAsync().ConfigureAwait(false));

        return null;
    }

    /// <summary>A source as the checkpoint has it, whole or in part.</summary>
    public RecoveryPointSource? CheckpointOf(IReadOnlyList<string> paths) => Checkpoint is null ? null : Find(Checkpoint, paths);

    public ValueTask DisposeAsync() => _further.DisposeAsync();

    /// <summary>A source as a point has it.</summary>
    public static RecoveryPointSource? Find(RecoveryPoint point, IReadOnlyList<string> paths) =>
        paths.Select(path => point.Sources.FirstOrDefault(source => IsSame(source.Path, path))).FirstOrDefault(found => found is not null);

    // On Windows a path is the same however its letters are written.
    public static bool IsSame(string one, string other) =>
        string.Equals(one, other, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    // A point that was deleted makes checkpoints stale as any other does. Nothing is ever decided on what is not a point.
    private static async Task<(Earlier Earlier, SessionId? Newest)> ReadNewestAsync(
        RecoveryPointCatalog catalog, MachineId machineId, CancellationToken cancellationToken)
    {
        List<PointName> names = await catalog.ListAllAsync(machineId, cancellationToken).ConfigureAwait(false);
        var earlier = new Earlier(catalog.ReadReadableAsync(names, cancellationToken).GetAsyncEnumerator(cancellationToken));
        await earlier.ReadFurtherAsync().ConfigureAwait(false);
        SessionId?[] newest = [earlier.Point?.SessionId, .. names.Where(name => name.Decisions is not null).Take(1).Select(name => (SessionId?)name.SessionId)];
        return (earlier, newest.Max());
    }

    private async ValueTask<bool> ReadFurtherAsync()
    {
        if (!await _further.MoveNextAsync().ConfigureAwait(false))
        {
            return false;
        }

        _points.Add(_further.Current);
        return true;
    }
}

/// <summary>A source as an earlier point has it.</summary>
/// <param name="Session">The point.</param>
/// <param name="Source">The source.</param>
internal sealed record EarlierSource(SessionId Session, RecoveryPointSource Source);
