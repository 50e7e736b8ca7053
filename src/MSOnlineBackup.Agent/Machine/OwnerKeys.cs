using System.Security.Cryptography;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// The keys of vaults' owners that this machine keeps, for convenience and at its own risk: each wrapped by the machine's secret and bound to its vault.
/// </summary>
internal sealed class OwnerKeys(StateFolder folder, MachineSecret secret)
{
    private const string FileName = "owners.json";
    private const string Purpose = "vault owner";

    private readonly StateFile<OwnersState> _file = new(
        folder, FileName, StateJson.Default.OwnersState, "delete it, and from now on name the owner's file wherever the owner's key is needed");

    /// <summary>Keeps a key; that of the same vault that was kept before goes.</summary>
    public void Keep(string vaultId, OwnerKey key)
    {
        byte[] exported = key.ExportSecret();
        var kept = new KeptOwner(vaultId, key.Identity.PublicKey, secret.Wrap(Purpose, Bind(vaultId, key.Identity), Convert.ToBase64String(exported)));
        CryptographicOperations.ZeroMemory(exported);
        _file.Update(state => new OwnersState([.. Others(state, vaultId), kept]));
    }

    /// <summary>The key of a vault's owner; null where it is not kept.</summary>
    /// <exception cref="BackupException">StateInvalid where it is kept and does not open; StateAccessDenied.</exception>
    public OwnerKey? Find(string vaultId)
    {
        if (_file.Read()?.Owners.FirstOrDefault(owner => owner.VaultId == vaultId) is not { } kept)
        {
            return null;
        }

        return OwnerIdentity.TryParse(kept.PublicKey) is { } identity
            && secret.TryUnwrap(Purpose, Bind(vaultId, identity), kept.Wrapped) is { } text
            && OwnerKey.TryImport(Convert.FromBase64String(text), identity) is { } key
            ? key
            : throw new BackupException(
                BackupErrorId.StateInvalid,
                $"The owner's key of the vault {vaultId}, kept in '{folder.PathOf(FileName)}', does not open: "
                    + "the file or the machine's secret was changed or comes from another machine.",
                "Name the owner's file with -OwnerFile, and give its passphrase. Nothing in the vault is affected.",
                folder.PathOf(FileName));
    }

    /// <summary>Whether the key of a vault's owner is kept, in whatever state.</summary>
    public bool Keeps(string vaultId) => _file.Read()?.Owners.Any(owner => owner.VaultId == vaultId) == true;

    /// <summary>Keeps the key of a vault's owner no longer.</summary>
    public void Forget(string vaultId) => _file.Update(state => new OwnersState([.. Others(state, vaultId)]));

    private static IEnumerable<KeptOwner> Others(OwnersState? state, string vaultId) => (state?.Owners ?? []).Where(owner => owner.VaultId != vaultId);

    private static string Bind(string vaultId, OwnerIdentity identity) => $"{vaultId}\n{identity.PublicKey}";
}

/// <summary>What <c>owners.json</c> holds.</summary>
internal sealed record OwnersState(IReadOnlyList<KeptOwner> Owners);

/// <summary>The key of one vault's owner.</summary>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="PublicKey">In base64.</param>
/// <param name="Wrapped">The private half, wrapped by the machine's secret.</param>
internal sealed record KeptOwner(string VaultId, string PublicKey, [property: JsonPropertyName("wrapped")] byte[] Wrapped);
