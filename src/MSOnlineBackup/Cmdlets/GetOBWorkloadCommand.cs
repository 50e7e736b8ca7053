using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows workloads, and to which times they can be recovered.</summary>
[Cmdlet(VerbsCommon.Get, "OBWorkload")]
[OutputType(typeof(OBWorkload))]
public sealed class GetOBWorkloadCommand : RecoveryCmdlet
{
    /// <summary>Only the workload of this name; all, if it is not given.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The machine whose workloads are wanted; this one, if it is not given.</summary>
    [Parameter(Position = 1, ValueFromPipeline = true)]
    [ValidateNotNull]
    public OBBackupServer? Server { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RecoveryArchive archive = await OpenAsync(Server?.ServerName ?? "", Server?.Access, stop).ConfigureAwait(false);
        RecoveryPointList points = await ListAsync(pump, archive, stop).ConfigureAwait(false);
        List<OBWorkload> found = [.. WorkloadState.Find(points).Select(state => state.ToOutput(archive.MachineName))];

        // One that is to be backed up, and never was, is one to be seen.
        IEnumerable<WorkloadSettings> planned = Server is null ? Agent.Policies.Get(PolicyKind.Files)?.Workloads ?? [] : [];
        found.AddRange(planned.Where(workload => found.TrueForAll(state => WorkloadSettings.KeyOf(state.Name) != WorkloadSettings.KeyOf(workload.Name)))
            .Select(workload => new OBWorkload { Name = workload.Name, Kind = Enum.Parse<OBWorkloadKind>(workload.Kind.ToString()), ServerName = archive.MachineName }).ToList());
        if (Name is { } name)
        {
            found.RemoveAll(workload => WorkloadSettings.KeyOf(workload.Name) != WorkloadSettings.KeyOf(name));
            if (found.Count == 0)
            {
                throw new BackupException(
                    BackupErrorId.WorkloadNotFound, $"'{archive.MachineName}' has no workload '{name}', in the vault or in a policy.", "Get-OBWorkload without a name shows all.", name);
            }
        }

        foreach (OBWorkload workload in found)
        {
            await pump.WriteObjectAsync(workload).ConfigureAwait(false);
        }
    });
}
