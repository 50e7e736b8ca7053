using MSOnlineBackup.Engine;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the engine's vaults to those that scripts see.</summary>
internal static class VaultConversion
{
    /// <summary>A vault as scripts see it.</summary>
    public static OBVault ToOutput(this VaultInfo vault) => new()
    {
        Name = vault.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(vault.Location)),
        Location = vault.Location,
        VaultId = vault.VaultId,
        Created = vault.Created.UtcDateTime,
        Machines = [.. vault.Machines],
        MachineLimit = vault.Settings.MachineLimit,
        RequirePrivateEndpoint = vault.Settings.RequiresPrivateEndpoint,
        RecoveryPoints = vault.Points,
        StoredBytes = vault.StoredBytes,
        FormatVersion = vault.FormatVersion,
    };
}
