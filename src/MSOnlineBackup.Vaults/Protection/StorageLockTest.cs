using System.Globalization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>Looks what the storage itself keeps of a vault, by what it says of each object.</summary>
/// <param name="vault">The vault.</param>
/// <param name="settings">Its settings.</param>
internal sealed class StorageLockTest(KnownVault vault, VaultSettings settings)
{
    private const string Advice =
        "Make the vault immutable, and have maintenance run with the right to lock objects (docs/operations.md, 'Immutability of the storage'): what is new is locked by its next run.";

    /// <summary>Looks.</summary>
    public async Task<ProtectionFinding> RunAsync(CancellationToken cancellationToken)
    {
        if (vault.Objects.Locks is not { } locks)
        {
            return new(ProtectionCheck.StorageLock, ProtectionVerdict.NotApplicable, "This storage has nothing by which it keeps objects.");
        }

        DateTimeOffset now = vault.Clock.GetUtcNow();
        (int needed, int held, int others) = (0, 0, 0);
        DateTimeOffset? first = null;
        await foreach (LockedObject found in locks.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            bool isHeld = found.Lock?.HoldsAt(now) == true;
            if (!IsNeeded(found.Object, now))
            {
                others += isHeld ? 1 : 0;
                continue;
            }

            needed++;
            held += isHeld ? 1 : 0;
            first = isHeld && found.Lock!.Value.Until is { } until && !(first < until) ? until : first;
        }

        string ends = first is { } end ? string.Create(CultureInfo.InvariantCulture, $", the first until {end:u}") : held > 0 ? " until they are unlocked" : "";
        string detail = string.Create(
            CultureInfo.InvariantCulture,
            $"Of {needed} recovery points, key slots and records of the vault that are to be immutable the storage keeps {held}{ends}; and {others} other objects.");
        return settings.ImmutableTime is not null && held == needed
            ? new(ProtectionCheck.StorageLock, ProtectionVerdict.Held, detail)
            : new(ProtectionCheck.StorageLock, ProtectionVerdict.NotHeld, detail, Advice);
    }

    // What tells by its name and time alone that it is to be kept; of packs only maintenance knows.
    private bool IsNeeded(StoredObject found, DateTimeOffset now) => VaultLayout.KindOf(found.Name, out _) switch
    {
        StoredKind.Point => found.Length > SealedObject.LongestFence && (settings.ImmutableTime is not { } time || now - found.Created < time),
        StoredKind.Header or StoredKind.KeySlot or StoredKind.KeyEpoch or StoredKind.Settings => true,
        _ => false,
    };
}
