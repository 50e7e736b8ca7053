using MSOnlineBackup.Agent.VirtualMachines;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How far a backup job is with one virtual machine, for its record.</summary>
/// <param name="Settings">The machine.</param>
internal sealed record VirtualMachineRun(VirtualMachineSettings Settings) : SourceRun(Settings.Name)
{
    /// <summary>Whether the vault had points of it before.</summary>
    public bool IsKnown { get; set; }
}
