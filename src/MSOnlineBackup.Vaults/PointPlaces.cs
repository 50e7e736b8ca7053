using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults;

/// <summary>How far a recovery point has come from its vault to the twins of that, which are further away.</summary>
public enum PointPlace
{
    /// <summary>It is in the vault. None of the twins that could be asked has it, and others could not be.</summary>
    Unknown,

    /// <summary>It is in the vault, and in no twin.</summary>
    Local,

    /// <summary>It is in the vault, and in no twin yet; a copy to one that lacks it is at work.</summary>
    Copying,

    /// <summary>It is in the vault, and in a twin at least.</summary>
    Vaulted,

    /// <summary>It is in a twin, and in the vault no more.</summary>
    CloudOnly,
}

/// <summary>A twin of a vault.</summary>
/// <param name="Location">Its folder or URL.</param>
/// <param name="OpenAsync">Opens it; may be called more than once. Whoever calls disposes of what it gives.</param>
public sealed record TwinPlace(string Location, Func<CancellationToken, Task<UnlockedVault>> OpenAsync);

/// <summary>A recovery point, and where it is.</summary>
/// <param name="Point">The point.</param>
/// <param name="Place">How far it has come.</param>
/// <param name="Twins">The twins that have it, as they were named.</param>
public sealed record PlacedPoint(RecoveryPoint Point, PointPlace Place, IReadOnlyList<string> Twins);

/// <summary>The recovery points of a vault and its twins, and where each of them is. Only lists and points are read, no index and no data.</summary>
public sealed class PointPlaces
{
    private readonly List<PlacedPoint> _points = [];
    private readonly List<DamagedPoint> _damaged = [];
    private readonly List<(string Location, BackupException Failure)> _failures = [];

    private PointPlaces()
    {
    }

    /// <summary>The points that are somewhere, newest first.</summary>
    public IReadOnlyList<PlacedPoint> Points => _points;

    /// <summary>Those of the vault that cannot be read, and those of twins that are nowhere else.</summary>
    public IReadOnlyList<DamagedPoint> Damaged => _damaged;

    /// <summary>The twins that could not be asked, and why. What they hold is unknown.</summary>
    public IReadOnlyList<(string Location, BackupException Failure)> Failures => _failures;

    /// <summary>Asks the vault and each of its twins. A twin that cannot be asked is reported, and stops nothing.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="twins">Its twins.</param>
    /// <param name="machineName">Only points of this machine; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">Of the vault: VaultUnreachable, VaultNotFound, …</exception>
    public static async Task<PointPlaces> FindAsync(UnlockedVault vault, IReadOnlyList<TwinPlace> twins, string? machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(twins);
        var places = new PointPlaces();
        RecoveryPointList own = await vault.ListPointsAsync(machineName, cancellationToken).ConfigureAwait(false);
        HashSet<SessionId> here = [.. own.Select(point => point.SessionId), .. own.Damaged.Select(point => point.SessionId)];
        places._damaged.AddRange(own.Damaged);
        Dictionary<SessionId, List<string>> copies = [];
        Dictionary<SessionId, RecoveryPoint> elsewhere = [];
        HashSet<SessionId> coming = [];
        foreach (TwinPlace place in twins)
        {
            try
            {
                using UnlockedVault twin = await place.OpenAsync(cancellationToken).ConfigureAwait(false);
                vault.RequireTwin(twin);

                // What is on its way first: what arrives meanwhile is then there.
                IReadOnlySet<SessionId> way = await PointsOnTheirWay.FindAsync(vault.WithoutIndex(), twin.WithoutIndex(), cancellationToken).ConfigureAwait(false);
                RecoveryPointList there = await twin.ListPointsAsync(machineName, cancellationToken).ConfigureAwait(false);
                coming.UnionWith(way);
                places.Note(place.Location, there, here, copies, elsewhere);
            }
            catch (BackupException e)
            {
                places._failures.Add((place.Location, e));
            }
        }

        PointPlace none = places._failures.Count > 0 ? PointPlace.Unknown : PointPlace.Local;
        places._points.AddRange(own.Select(point => copies.TryGetValue(point.SessionId, out List<string>? held)
            ? new PlacedPoint(point, PointPlace.Vaulted, held)
            : new PlacedPoint(point, coming.Contains(point.SessionId) ? PointPlace.Copying : none, [])));
        places._points.AddRange(elsewhere.Values.Select(point => new PlacedPoint(point, PointPlace.CloudOnly, copies[point.SessionId])));
        places._points.Sort((x, y) => y.Point.SessionId.CompareTo(x.Point.SessionId));
        return places;
    }

    // A point that cannot be read is no copy.
    private void Note(
        string location, RecoveryPointList there, HashSet<SessionId> here, Dictionary<SessionId, List<string>> copies, Dictionary<SessionId, RecoveryPoint> elsewhere)
    {
        foreach (RecoveryPoint point in there)
        {
            if (!copies.TryGetValue(point.SessionId, out List<string>? held))
            {
                copies[point.SessionId] = held = [];
            }

            held.Add(location);
            if (!here.Contains(point.SessionId))
            {
                elsewhere.TryAdd(point.SessionId, point);
            }
        }

        _damaged.AddRange(there.Damaged.Where(point => !here.Contains(point.SessionId)));
    }
}
