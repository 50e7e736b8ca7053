using MSOnlineBackup.Agent.Fleets;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the machines of a fleet to what scripts see.</summary>
internal static class FleetConversion
{
    /// <summary>A machine as scripts see it.</summary>
    public static OBFleetMachine ToOutput(this FleetMachine machine) => new()
    {
        ServerName = machine.Name,
        Vault = machine.Vault,
        State = Enum.Parse<OBComplianceState>(machine.Worst.State.ToString()),
        Message = machine.Worst.Message,
        RecommendedAction = machine.Worst.RecommendedAction,
        LastSuccess = machine.LastSuccess?.UtcDateTime,
        Due = machine.Due?.UtcDateTime,
        Files = machine.Files,
        Bytes = machine.Bytes,
        OperatingSystem = machine.OperatingSystem,
        AgentVersion = machine.AgentVersion,
        IsOutdated = machine.IsOutdated,
        Policies = [.. machine.Policies.Select(policy => policy.ToOutput())],
    };
}
