using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>The stored bytes that some recovery points need and no other that is listed does.</summary>
/// <param name="Alone">Of each of them, what it alone needs: what goes if it goes and all others stay.</param>
/// <param name="Together">What goes if all of them go.</param>
public sealed record PointSizes(IReadOnlyDictionary<SessionId, long> Alone, long Together)
{
    /// <summary>
    /// Measures points, by manifests alone. A block that several have is read twice at most, however many they are. Points that were deleted before do not
    /// count: they end before these would.
    /// </summary>
    /// <param name="store">The store, its index read.</param>
    /// <param name="names">All points that are listed.</param>
    /// <param name="measured">Those that are measured.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, …: something of a point cannot be read, so nobody knows what it needs.</exception>
    internal static async Task<PointSizes> MeasureAsync(
        ChunkStore store, IReadOnlyList<PointName> names, IReadOnlyCollection<SessionId> measured, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        int workers = Math.Max(Environment.ProcessorCount, store.Objects.Capabilities.MaxConcurrency);

        // A point is there only after the segments that name what it needs.
        await store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        var holders = new ChunkHolders(store.Index.Consolidate());
        await HoldAsync(names.Where(name => !measured.Contains(name.SessionId)), ChunkHolders.Staying).ConfigureAwait(false);
        List<PointName> going = [.. names.Where(name => measured.Contains(name.SessionId))];
        for (int i = 0; i < going.Count; i++)
        {
            await HoldAsync([going[i]], i + 1).ConfigureAwait(false);
        }

        Dictionary<int, long> bytes = holders.Measure();
        return new PointSizes(
            going.Index().ToDictionary(point => point.Item.SessionId, point => bytes.GetValueOrDefault(point.Index + 1)),
            bytes.Where(held => held.Key != ChunkHolders.Staying).Sum(held => held.Value));

        async Task HoldAsync(IEnumerable<PointName> points, int holder)
        {
            var marker = new Marker(id => holders.Hold(id, holder), workers);
            await marker.MarkAsync(store, catalog.ReadAsync(points, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (marker.Damage.FirstOrDefault() is { } damage)
            {
                throw damage;
            }
        }
    }
}
