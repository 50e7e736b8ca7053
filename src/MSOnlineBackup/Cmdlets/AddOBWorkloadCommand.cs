using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Adds a database server of this machine to a draft.</summary>
[Cmdlet(VerbsCommon.Add, "OBWorkload", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class AddOBWorkloadCommand : OBCmdlet
{
    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The server is PostgreSQL.</summary>
    [Parameter(Mandatory = true)]
    public SwitchParameter PostgreSql { get; set; }

    /// <summary>The absolute path of the folder that the server's socket lies in.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Socket { get; set; } = "";

    /// <summary>The port, which is part of the socket's name.</summary>
    [Parameter]
    public int Port { get; set; } = WorkloadSettings.UsualPort;

    /// <summary>The role to log in as; that of the account's name, if it is not given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? User { get; set; }

    /// <summary>What it is called in the policy and in the vault.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "pg1";

    /// <summary>After which time the next backup is full again; those between are of the log.</summary>
    [Parameter]
    public TimeSpan FullEvery { get; set; } = TimeSpan.FromMinutes(WorkloadSettings.UsualFullEveryMinutes);

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!PolicyScope.Of(Policy.Kind).NamesFiles)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid, "The policy protects the system state; workloads need a separate policy.", "Make one with New-OBPolicy, and save it with Set-OBPolicy.", Name);
        }

        if (!PostgreSql)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, "No kind of server was named.", "Give -PostgreSql.", nameof(PostgreSql));
        }

        var workload = new OBWorkloadSpec { Name = Name, Socket = Socket, Port = Port, User = User ?? "", FullEvery = FullEvery };
        workload.ToEngine().Check();
        if (ShouldProcess(Policy.ToString(), $"Add the workload '{Name}'"))
        {
            // What is added again replaces what was.
            Policy.WorkloadSpecs.RemoveAll(there => there.ToEngine().Key == workload.ToEngine().Key);
            Policy.WorkloadSpecs.Add(workload);
        }

        WriteObject(Policy);
    }
}
