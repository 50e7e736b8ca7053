using MSOnlineBackup.Engine;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the engine's vaults to those that scripts see.</summary>
internal static class VaultConversion
{
    /// <summary>A vault as scripts see it.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="cost">What it costs; null where it costs nothing, or nobody asked.</param>
    public static OBVault ToOutput(this VaultInfo vault, OBCostEstimate? cost = null) => new()
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
        EstimatedCost = cost,
        FormatVersion = vault.FormatVersion,
    };
}
