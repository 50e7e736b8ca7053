using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Fleets;

/// <summary>How the backups of all machines of some vaults stand.</summary>
/// <param name="Machines">Each machine in each vault. First those that somebody should see to, each kind from the one that has been without a backup for longest; then the others by name.</param>
/// <param name="Vaults">Each vault, in the order in which they were named.</param>
public sealed record Fleet(IReadOnlyList<FleetMachine> Machines, IReadOnlyList<FleetVault> Vaults);

/// <summary>A vault of a fleet.</summary>
/// <param name="Location">Its folder or URL.</param>
/// <param name="Warnings">What keeps what is told of its machines from being certain, in whole sentences.</param>
/// <param name="Failure">Why nothing is known of its machines; null where it could be read.</param>
public sealed record FleetVault(string Location, IReadOnlyList<string> Warnings, BackupException? Failure);

/// <summary>A machine in a vault, by all its policies. All times are by the clock of the vault's store.</summary>
/// <param name="Vault">The vault's folder or URL.</param>
/// <param name="Name">What the vault calls it.</param>
/// <param name="Policies">How its backups stand by each policy; at least one.</param>
public sealed record FleetMachine(string Vault, string Name, IReadOnlyList<PolicyCompliance> Policies)
{
    /// <summary>Its system, as it last said.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>The version of its software, as it last said.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>Whether another machine of the fleet has a newer version.</summary>
    public bool IsOutdated { get; init; }

    /// <summary>The policy that somebody should see to first; any where none is.</summary>
    public PolicyCompliance Worst => Policies.Order(PolicyCompliance.ByUrgency).First();

    /// <summary>When the last success had ended of the policy that has been without one for longest; null where one has none.</summary>
    public DateTimeOffset? LastSuccess => Policies.Any(policy => policy.LastSuccess is null) ? null : Policies.Min(policy => policy.LastSuccess);

    /// <summary>By when the next backup must have come; null where none is expected.</summary>
    public DateTimeOffset? Due => Policies.Min(policy => policy.Due);

    /// <summary>Files in the last backups that succeeded.</summary>
    public long Files => Policies.Sum(policy => policy.Files);

    /// <summary>Their bytes.</summary>
    public long Bytes => Policies.Sum(policy => policy.Bytes);
}
