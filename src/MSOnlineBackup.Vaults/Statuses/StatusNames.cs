using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>The statuses of one machine and policy, as they are listed.</summary>
/// <param name="MachineId">The machine.</param>
/// <param name="Policy">The policy.</param>
/// <param name="Newest">The objects, the highest number first.</param>
internal sealed record StatusNames(MachineId MachineId, string Policy, IReadOnlyList<StoredObject> Newest)
{
    /// <summary>The policy of a backup by none.</summary>
    public const string NoPolicy = "other";

    /// <summary>How many statuses of a machine and policy maintenance leaves there.</summary>
    public const int Kept = 40;

    /// <summary>Nothing is expected later than after so many seconds: ten years.</summary>
    public const long LongestWait = 315_360_000;

    private const int LongestPolicy = 32;

    /// <summary>Whether a policy's name can stand in the name of an object.</summary>
    public static bool IsPolicy(string? policy) =>
        policy is { Length: > 0 and <= LongestPolicy } && policy.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>Lists those of all machines.</summary>
    public static async Task<IReadOnlyList<StatusNames>> ListAsync(IVaultStore objects, CancellationToken cancellationToken)
    {
        var found = new Dictionary<(MachineId, string), List<(uint Number, StoredObject Object)>>();
        await foreach (StoredObject stored in objects.ListAsync(VaultLayout.Statuses, cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParseStatus(stored.Name, out MachineId machineId, out string policy, out uint number) && number is > 0 and <= NumberedSeries.Last)
            {
                if (!found.TryGetValue((machineId, policy), out List<(uint, StoredObject)>? of))
                {
                    found.Add((machineId, policy), of = []);
                }

                of.Add((number, stored));
            }
        }

        return [.. found.Select(series => new StatusNames(
            series.Key.Item1, series.Key.Item2, [.. series.Value.OrderByDescending(status => status.Number).Select(status => status.Object)]))];
    }

    /// <summary>Deletes what lies below the newest of each machine and policy: the highest number is never deleted, so none is given twice.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="deletion">By which it deletes.</param>
    /// <param name="cancellationToken">Stops it; the next run goes on.</param>
    /// <returns>How many objects were deleted.</returns>
    public static async Task<int> TidyAsync(IVaultStore objects, PatientDeletion deletion, CancellationToken cancellationToken)
    {
        int deleted = 0;
        foreach (StatusNames names in await ListAsync(objects, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredObject old in names.Newest.Skip(Kept))
            {
                deleted += await deletion.TryDeleteAsync(old.Name, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        return deleted;
    }
}
