using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>
/// Which vaults this machine knows as their server: a file of its state, and all that it keeps of groups. The key of each is protected as the machine's own is, by the machine's
/// secret; what it wraps is of no use elsewhere.
/// </summary>
internal sealed class ServerVaults(StateFolder folder, MachineSecret secret)
{
    private const string FileName = "server.json";
    private const string Purpose = "server vault key";
    private const string KeyOwner = "protection groups";

    private readonly StateFile<ServerState> _file = new(
        folder, FileName, StateJson.Default.ServerState, "delete it, and have the server find its groups again: Sync-OBServer -Vault, or 'obengine server sync'");

    /// <summary>The vaults, in the order in which they came.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<ServerVault> List() => _file.Read()?.Vaults ?? [];

    /// <summary>Knows places of a vault from now on, and the key that opens it. What is known already stays.</summary>
    /// <returns>Whether anything is new.</returns>
    /// <exception cref="Vaults.Errors.BackupException">StateInvalid, StateAccessDenied.</exception>
    public bool Remember(string vaultId, IEnumerable<string> places, UnlockedKey key)
    {
        ServerVault? known = List().FirstOrDefault(vault => vault.VaultId == vaultId);
        string[] all = [.. (known?.Places ?? []).Concat(places).Distinct(StringComparer.Ordinal)];
        if (known is not null && known.Places.Count == all.Length && known.KeyId == key.KeyId && TryReadKey(known) is { } same)
        {
            same.Dispose();
            return false;
        }

        var vault = new ServerVault(vaultId, all, key.KeyId, KeyFile.Encode(secret.DeriveKey(Purpose), vaultId, IdOf(vaultId), key));
        _file.Update(state => new ServerState([.. (state?.Vaults ?? []).Where(other => other.VaultId != vaultId), vault]));
        return true;
    }

    /// <summary>Knows places no longer; the key of their vault stays.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateInvalid, StateAccessDenied.</exception>
    public void Forget(string vaultId, IReadOnlyCollection<string> places)
    {
        if (places.Count > 0)
        {
            _file.Update(state => new ServerState([.. (state?.Vaults ?? []).Select(vault => vault.VaultId == vaultId ? vault with { Places = [.. vault.Places.Except(places)] } : vault)]));
        }
    }

    /// <summary>The key of a vault.</summary>
    /// <exception cref="Vaults.Errors.BackupException">KeyFileInvalid: the file or the machine's secret was changed, or comes from another machine.</exception>
    public UnlockedKey ReadKey(ServerVault vault) => KeyFile.Decode(
        secret.FindKey(Purpose) ?? throw KeyFile.Invalid(folder.PathOf(FileName), "the machine's secret that it was made with is missing"),
        vault.VaultId,
        IdOf(vault.VaultId),
        vault.Key,
        folder.PathOf(FileName));

    private UnlockedKey? TryReadKey(ServerVault vault)
    {
        try
        {
            return ReadKey(vault);
        }
        catch (Vaults.Errors.BackupException e) when (e.Id == Vaults.Errors.BackupErrorId.KeyFileInvalid)
        {
            // It is written anew.
            return null;
        }
    }

    private static MachineId IdOf(string vaultId) => MachineId.Of(vaultId, KeyOwner);
}
