using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>
/// Makes twins: vaults in other places that have the same id, the same chunk stores and the same master keys, so that what is sealed for one is named alike in the other. What is
/// brought are objects that prove themselves wherever they lie: key slots, and the records of the owner and of machines.
/// </summary>
internal static class TwinMaking
{
    // None of them is longer than a record.
    private const int MaxLength = 64 << 10;

    /// <summary>Makes an empty twin. Until its header is there, which comes last, there is no vault; where it was interrupted, doing it again goes on.</summary>
    /// <param name="store">Empty, but for what an interrupted making of a twin of the same vault has left.</param>
    /// <param name="original">The vault.</param>
    /// <param name="isSeed">Whether it is to be a seed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultExists.</exception>
    public static async Task CreateAsync(IVaultStore store, KnownVault original, bool isSeed, CancellationToken cancellationToken)
    {
        await foreach (StoredObject found in store.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            if (!IsBrought(found.Name) || !await IsSameAsync(store, original.Objects, found.Name, cancellationToken).ConfigureAwait(false))
            {
                throw VaultHeader.Exists(store, found.Name);
            }
        }

        foreach (string folder in (string[])[VaultLayout.AllKeys, VaultLayout.Records, VaultLayout.Settings, VaultLayout.Machines])
        {
            foreach (string name in await ListAsync(original.Objects, folder, cancellationToken).ConfigureAwait(false))
            {
                if (!await BringAsync(original.Objects, store, name, cancellationToken).ConfigureAwait(false)
                    && !await IsSameAsync(store, original.Objects, name, cancellationToken).ConfigureAwait(false))
                {
                    throw VaultHeader.Exists(store, name);
                }
            }
        }

        VaultHeader header = original.Header with { Copy = IdDigits.Create(), Created = original.Clock.GetUtcNow(), IsSeed = isSeed };
        await header.WriteAsync(store, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Brings records of machines that a twin lacks: without them it could not say what machines are called.</summary>
    public static async Task BringMachinesAsync(IVaultStore from, IVaultStore to, CancellationToken cancellationToken)
    {
        HashSet<string> there = [.. await ListAsync(to, VaultLayout.Machines, cancellationToken).ConfigureAwait(false)];
        foreach (string name in await ListAsync(from, VaultLayout.Machines, cancellationToken).ConfigureAwait(false))
        {
            if (!there.Contains(name))
            {
                await BringAsync(from, to, name, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Refuses a vault that is no twin of another.</summary>
    /// <exception cref="BackupException">VaultNotTwin.</exception>
    public static void Require(KnownVault original, KnownVault twin)
    {
        if (original.VaultId != twin.VaultId)
        {
            throw new BackupException(
                BackupErrorId.VaultNotTwin,
                $"The vault in '{twin.Location}' is no twin of the one in '{original.Location}': it is the vault {twin.VaultId}, and that is the vault {original.VaultId}.",
                "Recovery points are copied between twins only. Make one, in an empty place: 'obengine vault create PLACE --twin-of VAULT', or New-OBVault -TwinOf.",
                twin.Location);
        }

        if ((original.Header.Copy, original.Location) == (twin.Header.Copy, twin.Location))
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"'{twin.Location}' cannot be copied to itself.", "Name two places.", twin.Location);
        }
    }

    /// <summary>What is said where there is no vault that could be a twin.</summary>
    public static BackupException Missing(KnownVault original, BackupException cause) => new(
        cause.Id,
        cause.Message,
        $"Check that its disk or share is mounted. Where no twin was made yet, make it: 'obengine vault create PLACE --twin-of {original.Location}', or New-OBVault -TwinOf '{original.Location}'.",
        cause.Target,
        innerException: cause,
        errorCode: cause.ErrorCode);

    /// <summary>What is said where only a passphrase opens a place.</summary>
    public static BackupException PassphraseNeeded(string location, string why, Exception? cause) => new(
        BackupErrorId.RecoveryOptionMissing,
        $"The vault in '{location}' cannot be opened without its passphrase: {why}.",
        "Give the passphrase: -EncryptionPassphrase (Read-Host -AsSecureString), or copy with 'obengine vault copy', which asks for it.",
        location,
        innerException: cause);

    /// <summary>Refuses a chunk store of another passphrase.</summary>
    /// <exception cref="BackupException">VaultNotTwin.</exception>
    public static void RequireStore(KnownVault original, StoreId of, KnownVault twin, StoreId other)
    {
        if (of != other)
        {
            throw new BackupException(
                BackupErrorId.VaultNotTwin,
                $"What opens the vault {original.VaultId} in '{original.Location}' opens its chunk store {of}; in its twin in '{twin.Location}' the chunk store {other} was opened.",
                "Open both with the passphrase of one chunk store.",
                twin.Location);
        }
    }

    private static bool IsBrought(string name) => VaultLayout.KindOf(name, out _)
        is StoredKind.KeySlot or StoredKind.KeySlotCopy or StoredKind.KeySlotRemoval or StoredKind.KeyEpoch or StoredKind.KeyOrder
        or StoredKind.Record or StoredKind.Settings or StoredKind.Machine;

    // Of a series the highest number comes last: until then the one before holds.
    private static async Task<List<string>> ListAsync(IVaultStore store, string folder, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (StoredObject found in store.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            if (IsBrought(found.Name))
            {
                names.Add(found.Name);
            }
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    // One that was removed since the listing, as an old key slot, is not brought.
    private static async Task<bool> BringAsync(IVaultStore from, IVaultStore to, string name, CancellationToken cancellationToken) =>
        await VaultHeader.ReadSmallAsync(from, name, MaxLength, cancellationToken).ConfigureAwait(false) is not { } content
        || await to.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false);

    private static async Task<bool> IsSameAsync(IVaultStore store, IVaultStore other, string name, CancellationToken cancellationToken) =>
        await VaultHeader.ReadSmallAsync(store, name, MaxLength, cancellationToken).ConfigureAwait(false) is { } content
        && await VaultHeader.ReadSmallAsync(other, name, MaxLength, cancellationToken).ConfigureAwait(false) is { } same
        && content.AsSpan().SequenceEqual(same);
}
