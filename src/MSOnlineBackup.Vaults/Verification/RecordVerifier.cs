using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Checks the records of a vault: those of its owner by the owner's signature, those of machines as far as their keys are at hand.</summary>
/// <param name="vault">The vault.</param>
/// <param name="keys">The keys of the chunk store that is open; null for none.</param>
internal sealed class RecordVerifier(KnownVault vault, StoreKeys? keys = null)
{
    private static readonly string[] _folders = [VaultLayout.Settings, VaultLayout.Credentials, VaultLayout.Records, VaultLayout.Machines];

    /// <summary>What is damaged or forged.</summary>
    public async Task<IReadOnlyList<BackupException>> FindDamageAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, IReadOnlyList<uint>>[] folders = await Task.WhenAll(
            _folders.Select(prefix => NumberedSeries.ListAsync(vault.Objects, prefix, cancellationToken))).ConfigureAwait(false);
        KeyListing keyNames = await KeyListing.ReadAsync(vault.Objects, cancellationToken).ConfigureAwait(false);
        HashSet<StoreId> stores = [.. keyNames.Slots.Select(key => key.StoreId)];
        IEnumerable<string> names = folders.SelectMany(found => found).SelectMany(folder => folder.Value.SelectMany(number => NamesOf(folder.Key, number)));
        var damage = new List<BackupException>();
        await foreach (BackupException? found in ReadAhead.SelectAsync(
            names, vault.Objects.Capabilities.MaxConcurrency, (name, token) => CheckAsync(name, stores, token), cancellationToken).ConfigureAwait(false))
        {
            if (found is not null)
            {
                damage.Add(found);
            }
        }

        return damage;
    }

    private async Task<BackupException?> CheckAsync(string name, HashSet<StoreId> stores, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(vault.Objects, name, NumberedSeries.MaxLength, cancellationToken).ConfigureAwait(false);
            if (content is not null)
            {
                return IsProved(VaultLayout.FirstOf(name), content, stores) ? null : VaultDamage.NotSigned(name);
            }

            // A copy is written after its record: one that is alone is what is left of a loss. A vault from before there were copies lacks nothing.
            return VaultLayout.HasCopies(FolderOf(name))
                && VaultLayout.FirstOf(name) == name
                && await vault.Objects.StatAsync(VaultLayout.CopyBeside(name), cancellationToken).ConfigureAwait(false) is not null
                    ? VaultDamage.Missing(name, "Record") : null;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return e;
        }
    }

    private static IEnumerable<string> NamesOf(string folder, uint number)
    {
        string name = $"{folder}{number:x8}";
        return VaultLayout.HasCopies(folder) ? [name, VaultLayout.CopyBeside(name)] : [name];
    }

    private static string FolderOf(string name) => name[..(name.IndexOf('/', StringComparison.Ordinal) + 1)];

    // Of another store's machine only this can be told without that store's key: a store that nobody can open has none. Where the vault has no key slot at all, that is said elsewhere.
    private bool IsProved(string name, byte[] content, HashSet<StoreId> stores) => VaultLayout.HasCopies(FolderOf(name))
        ? IsOfOwner(vault.Header, name, content)
        : MachineDirectory.TryOpen(vault.Header, name, content, keys) is { } machine && (machine.IsGone || stores.Count == 0 || stores.Contains(machine.StoreId));

    /// <summary>Whether a record of the owner is as the owner has signed it.</summary>
    /// <param name="header">The vault.</param>
    /// <param name="name">The record's name, also where the bytes are of its copy.</param>
    /// <param name="content">Its bytes.</param>
    public static bool IsOfOwner(VaultHeader header, string name, byte[] content) => FolderOf(name) switch
    {
        VaultLayout.Settings => OwnerRecord.TryOpen(header, name, content, RegisterJson.Default.VaultSettings) is { Fault: null },
        VaultLayout.Credentials => OwnerRecord.TryOpen(header, name, content, RegisterJson.Default.CredentialRecord) is { TokenHash: not null },
        _ => OwnerRecord.TryOpen(header, name, content, RegisterJson.Default.VaultRecord) is { Kind: not null },
    };
}
