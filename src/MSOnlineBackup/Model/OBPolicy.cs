using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model;

namespace MSOnlineBackup;

/// <summary>
/// What is backed up, when, and for how long it is kept. A draft: cmdlets and scripts change it in place, and nothing holds before
/// Set-OBPolicy (or Set-OBSystemStatePolicy) has saved it.
/// </summary>
public sealed class OBPolicy
{
    /// <summary>When backups run; null until set.</summary>
    public OBSchedule? BackupSchedule { get; set; }

    /// <summary>What is backed up.</summary>
    public OBDataSource[] DsList => PolicyScope.Of(Kind).SourceName is { } whole
        ? [new OBDataSource { DataSourceId = NumberOf(whole), DataSourceName = whole }]
        : [
            .. FileSpecs.Where(spec => !spec.IsExclude).Select(spec => new OBDataSource
            {
                DataSourceId = NumberOf(spec.FileSpec),
                DataSourceName = spec.FileSpec,
                FileSpecs = [spec, .. FileSpecs.Where(other => other.IsExclude && Concerns(other.FileSpec, spec.FileSpec))],
            }),
            .. WorkloadSpecs.Select(workload => workload.Name).Concat(VirtualMachineSpecs.Select(machine => machine.Name)).Select(name => new OBDataSource { DataSourceId = NumberOf(name), DataSourceName = name }),
        ];

    /// <summary>Twins of the vault that its backups go to as well, by their folders or URLs; empty for none.</summary>
    public string[] CopyTo { get; set; } = [];

    /// <summary>A GUID, given when it is first saved; empty before.</summary>
    public string PolicyName { get; internal set; } = "";

    /// <summary>For how long recovery points are kept; null until set.</summary>
    public OBRetentionPolicy? RetentionPolicy { get; set; }

    /// <summary>Draft or saved.</summary>
    public OBObjectState State { get; internal set; }

    /// <summary>Whether its schedule runs.</summary>
    public OMPolicyStates PolicyState { get; internal set; }

    /// <summary>Database servers of this machine that are backed up as such, see Add-OBWorkload.</summary>
    public OBWorkloadSpec[] Workloads => [.. WorkloadSpecs];

    /// <summary>Virtual machines that are backed up as such, see Add-OBVirtualMachine.</summary>
    public OBVirtualMachineSpec[] VirtualMachines => [.. VirtualMachineSpecs];

    /// <summary>Those, in the order in which they were added.</summary>
    internal List<OBVirtualMachineSpec> VirtualMachineSpecs { get; } = [];

    /// <summary>The database servers, in the order in which they were added.</summary>
    internal List<OBWorkloadSpec> WorkloadSpecs { get; } = [];

    /// <summary>What it protects.</summary>
    internal PolicyKind Kind { get; set; }

    /// <summary>What it takes and leaves out, in the order in which it was added.</summary>
    internal List<OBFileSpec> FileSpecs { get; } = [];

    /// <summary>Its name, or that it is new.</summary>
    public override string ToString() => State == OBObjectState.New ? "New policy" : PolicyName;

    // A pattern for names at any depth concerns every source.
    private static bool Concerns(string exclusion, string root) =>
        !Path.IsPathRooted(exclusion) || exclusion.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private long NumberOf(string source) => State == OBObjectState.New ? 0 : SourceNumber.Of(source);
}
