using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the engine's vaults to those that scripts see.</summary>
internal static class VaultConversion
{
    /// <summary>A vault as scripts see it.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="cost">What it costs; null where it costs nothing, or nobody asked.</param>
    /// <param name="proofs">What is proven of it; null where nobody could look.</param>
    /// <param name="lastContact">When this machine had contact with it; null where it is not this machine's.</param>
    public static OBVault ToOutput(this VaultInfo vault, OBCostEstimate? cost = null, VaultProofSummary? proofs = null, DateTimeOffset? lastContact = null) => new()
    {
        Name = vault.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(vault.Location)),
        Location = vault.Location,
        VaultId = vault.VaultId,
        Created = vault.Created.UtcDateTime,
        State = Enum.Parse<OBVaultState>(vault.Settings.Subscription.ToString()),
        LastContact = lastContact?.UtcDateTime,
        Machines = [.. vault.Machines],
        MachineLimit = vault.Settings.MachineLimit,
        UndeleteDays = vault.Settings.UndeleteDays,
        ParityPercent = vault.Settings.ParityPercent,
        VerifyDays = vault.Settings.VerifyDaysOf(vault.Location),
        MaintainAfterBackup = vault.Settings.MaintainsAfterBackup,
        Statuses = Enum.Parse<OBStatusForm>(vault.Settings.Statuses.ToString()),
        RequirePin = vault.Settings.RequiresPin,
        BrakeDays = vault.Settings.BrakeDays,
        Approvers = [.. vault.Settings.Approvers ?? []],
        Immutability = Enum.Parse<OBImmutability>(vault.Settings.Immutability.ToString()),
        ImmutableDays = vault.Settings.Immutability == VaultImmutability.Off ? 0 : vault.Settings.ImmutableDays,
        StorageLock = vault.StorageLock is not { } held ? OBStorageLock.None : held.IsFirm ? OBStorageLock.Locked : OBStorageLock.Unlocked,
        StorageLockedUntil = vault.StorageLock?.Until?.UtcDateTime,
        RequirePrivateEndpoint = vault.Settings.RequiresPrivateEndpoint,
        AccessTier = vault.Settings.AccessTier.ToOutput(),
        Redundancy = vault.Settings.Redundancy?.ToOutput(),
        AccountRedundancy = vault.AccountRedundancy?.ToOutput(),
        RecoveryPoints = vault.Points,
        StoredBytes = vault.StoredBytes,
        EstimatedCost = cost,
        FormatVersion = vault.FormatVersion,
        Owner = vault.Owner,
        MinAgentVersion = vault.MinAgentVersion,
        Proofs = [.. proofs?.Machines.Select(ToOutput) ?? []],
        DamagedPacks = [.. proofs?.DamagedPacks ?? []],
        LastMaintained = proofs?.LastMaintained?.UtcDateTime,
    };

    private static OBMachineProof ToOutput(MachineProof machine) => new()
    {
        ServerName = machine.MachineName,
        RecoveryPointId = machine.PointId.ToString(),
        LastBackup = machine.LastBackup.UtcDateTime,
        LastVerified = machine.LastVerified?.UtcDateTime,
        VerifiedPercent = Math.Round(machine.VerifiedShare * 100, 1),
        LastTrialRestore = machine.LastTrial?.Time.UtcDateTime,
        TrialDifferences = machine.LastTrial?.Differences,
    };

    /// <summary>A tier as scripts name it: the names are the same.</summary>
    public static OBAccessTier ToOutput(this VaultAccessTier tier) => Enum.Parse<OBAccessTier>(tier.ToString());

    /// <summary>A tier as the engine names it.</summary>
    public static VaultAccessTier ToEngine(this OBAccessTier tier) => Enum.Parse<VaultAccessTier>(tier.ToString());

    /// <summary>An immutability as the engine names it.</summary>
    public static VaultImmutability ToEngine(this OBImmutability immutability) => Enum.Parse<VaultImmutability>(immutability.ToString());

    /// <summary>A form of statuses as the engine names it.</summary>
    public static StatusForm ToEngine(this OBStatusForm form) => Enum.Parse<StatusForm>(form.ToString());

    /// <summary>A state as the engine names it.</summary>
    public static VaultSubscription ToEngine(this OBVaultState state) => Enum.Parse<VaultSubscription>(state.ToString());

    /// <summary>A redundancy as scripts name it: the names are the same.</summary>
    public static OBRedundancy ToOutput(this VaultRedundancy redundancy) => Enum.Parse<OBRedundancy>(redundancy.ToString());

    /// <summary>A redundancy as the engine names it.</summary>
    public static VaultRedundancy ToEngine(this OBRedundancy redundancy) => Enum.Parse<VaultRedundancy>(redundancy.ToString());
}
