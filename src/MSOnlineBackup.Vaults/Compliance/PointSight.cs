using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Compliance;

/// <summary>The recovery points of all machines, by their names alone, and those that there were.</summary>
internal sealed class PointSight
{
    private readonly HashSet<(MachineId, SessionId)> _known = [];

    private PointSight()
    {
    }

    /// <summary>When the newest point of each machine was created.</summary>
    public Dictionary<MachineId, DateTimeOffset> Newest { get; } = [];

    /// <summary>Whether there is such a point, or something that says that there was.</summary>
    public bool Has(MachineId machineId, SessionId session) => _known.Contains((machineId, session));

    /// <summary>Lists them, of all chunk stores.</summary>
    public static async Task<PointSight> TakeAsync(KnownVault vault, CancellationToken cancellationToken)
    {
        var sight = new PointSight();
        KeyListing keys = await KeyListing.ReadAsync(vault.Objects, cancellationToken).ConfigureAwait(false);
        foreach (StoreId storeId in keys.Slots.Select(slot => slot.StoreId).Distinct())
        {
            await foreach (StoredObject stored in vault.Objects.ListAsync(VaultLayout.Points(storeId), cancellationToken).ConfigureAwait(false))
            {
                // What is so short shuts a session out, and is no point.
                if (stored.Length > SealedObject.LongestFence && VaultLayout.TryParsePoint(stored.Name, out MachineId machineId, out SessionId session))
                {
                    sight._known.Add((machineId, session));
                    if (!sight.Newest.TryGetValue(machineId, out DateTimeOffset newest) || stored.Created > newest)
                    {
                        sight.Newest[machineId] = stored.Created;
                    }
                }
            }

            await foreach (StoredObject stored in vault.Objects.ListAsync(VaultLayout.Commits(storeId), cancellationToken).ConfigureAwait(false))
            {
                if (VaultLayout.TryParsePoint(stored.Name, out MachineId machineId, out SessionId session))
                {
                    sight._known.Add((machineId, session));
                }
            }
        }

        return sight;
    }
}
