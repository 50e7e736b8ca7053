using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Finds recovery points by what people know of them: the name of a machine, the beginning of an id.</summary>
/// <param name="store">The store. Its index is not needed.</param>
internal sealed class PointFinder(ChunkStore store)
{
    private const string Latest = "latest";

    private readonly RecoveryPointCatalog _catalog = new(store);
    private readonly MachineDirectory _machines = new(store.Vault);

    /// <summary>The points, newest first; of one machine where a name is given. Those that cannot be read stand beside them.</summary>
    public async Task<RecoveryPointList> ListAsync(string? machineName, CancellationToken cancellationToken)
    {
        List<PointName> names = await ListNamesAsync(
            machineName, id => _catalog.ListAllAndLossesAsync(id, cancellationToken), cancellationToken).ConfigureAwait(false);
        var points = new List<RecoveryPoint>();
        var damaged = new List<PointReading>();
        await foreach (PointReading reading in _catalog.ReadShownAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is { } point)
            {
                points.Add(point);
            }
            else
            {
                damaged.Add(reading);
            }
        }

        return new RecoveryPointList(points, await DescribeAsync(damaged, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>How many points a machine has, and the points themselves, for who needs only the newest of them.</summary>
    public async Task<PointHistory> OpenHistoryAsync(string machineName, CancellationToken cancellationToken)
    {
        List<PointName> names = await ListNamesAsync(
            machineName, id => _catalog.ListNamesAsync(id, cancellationToken), cancellationToken).ConfigureAwait(false);
        IAsyncEnumerable<PointReading> readings = _catalog.ReadAsync(names, cancellationToken);
        return new PointHistory(names.Count, readings.Where(reading => reading.Point is not null).Select(reading => reading.Point!));
    }

    /// <summary>The point whose session id begins with the text; "latest" is the one with the newest name, whether it can be read or not.</summary>
    /// <param name="idPrefixOrLatest">The beginning of an id, or "latest".</param>
    /// <param name="machineName">Only points of this machine; null for those of all.</param>
    /// <param name="passOver">
    /// Gets each damaged point that is newer than the one returned for "latest". Where it is null, an older one is not taken for it.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// RecoveryPointNotFound, RecoveryPointAmbiguous; VaultDataCorrupt, VaultDataUnreadable, … where the point is there and cannot be read.
    /// </exception>
    public async Task<RecoveryPoint> GetAsync(
        string idPrefixOrLatest, string? machineName, Action<DamagedPoint>? passOver, CancellationToken cancellationToken)
    {
        bool latest = idPrefixOrLatest == Latest;
        List<PointName> names = await ListNamesAsync(
            machineName, id => _catalog.ListAllAndLossesAsync(id, cancellationToken), cancellationToken).ConfigureAwait(false);
        IEnumerable<PointName> wanted = latest ? names : names.Where(name => name.SessionId.BeginsWith(idPrefixOrLatest));
        PointReading? found = null;
        await foreach (PointReading reading in _catalog.ReadShownAsync(wanted, cancellationToken).ConfigureAwait(false))
        {
            if (latest && reading.Point is null && passOver is not null)
            {
                passOver((await DescribeAsync([reading], cancellationToken).ConfigureAwait(false))[0]);
                found = reading;
                continue;
            }

            if (!latest && found is { } other)
            {
                throw new BackupException(
                    BackupErrorId.RecoveryPointAmbiguous,
                    $"More than one recovery point begins with '{idPrefixOrLatest}': {other.Name.SessionId} and {reading.Name.SessionId}, perhaps others.",
                    "Give more digits of the id.",
                    idPrefixOrLatest);
            }

            found = reading;
            if (latest)
            {
                break;
            }
        }

        return found switch
        {
            { Point: { } point } => point,
            { } damaged => throw (await DescribeAsync([damaged], cancellationToken).ConfigureAwait(false))[0].ToError(),
            null => throw NotFound(latest ? null : idPrefixOrLatest, machineName, idPrefixOrLatest),
        };
    }

    /// <summary>The id of a machine, by the name that it has, or had.</summary>
    public Task<MachineId> FindMachineAsync(string machineName, CancellationToken cancellationToken) =>
        _machines.FindIdAsync(machineName, store.Keys, cancellationToken);

    private static BackupException NotFound(string? beginning, string? machineName, string target) => new(
        BackupErrorId.RecoveryPointNotFound,
        $"The vault has no recovery point{(machineName is null ? null : $" of a machine '{machineName}'")}"
            + $"{(beginning is null ? null : $" that begins with '{beginning}'")}.",
        "'obengine points' or 'Get-OBAllRecoveryPoints' lists them; "
            + "those that were deleted and can be brought back, 'obengine points deleted' or 'Get-OBDeletedRecoveryPoint'.",
        target);

    // Points that cannot be read, with what the vault tells of them elsewhere.
    private async Task<IReadOnlyList<DamagedPoint>> DescribeAsync(List<PointReading> damaged, CancellationToken cancellationToken)
    {
        if (damaged.Count == 0)
        {
            return [];
        }

        var names = (await _machines.ListAsync(cancellationToken).ConfigureAwait(false))
            .ToLookup(machine => store.Header.MachineId(machine.First ?? machine.Name), machine => machine.Name);
        return
        [
            .. damaged.Select(reading => new DamagedPoint(
                reading.Name.SessionId,
                reading.Name.MachineId,
                names[reading.Name.MachineId].FirstOrDefault(),
                reading.Name.SessionId.Announced,
                reading.Damage!)),
        ];
    }

    // Most machines have the name that they had first: what belongs to that is asked for while the vault is asked what the name means.
    private async Task<List<PointName>> ListNamesAsync(
        string? machineName, Func<MachineId?, Task<List<PointName>>> list, CancellationToken cancellationToken)
    {
        if (machineName is null)
        {
            return await list(null).ConfigureAwait(false);
        }

        MachineId likely = store.Header.MachineId(machineName);
        Task<List<PointName>> listing = list(likely);
        Task<MachineId> knowing = FindMachineAsync(machineName, cancellationToken);
        await Task.WhenAll(listing, knowing).ConfigureAwait(false);
        MachineId id = await knowing.ConfigureAwait(false);
        return id == likely ? await listing.ConfigureAwait(false) : await list(id).ConfigureAwait(false);
    }
}
