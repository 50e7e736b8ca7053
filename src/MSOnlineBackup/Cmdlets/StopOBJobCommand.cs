using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Stops a job in order, whatever process it runs in, and returns it when it has ended.</summary>
[Cmdlet(VerbsLifecycle.Stop, "OBJob", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(OBJob))]
public sealed class StopOBJobCommand : OBEngineCmdlet
{
    /// <summary>The job, or its id. One that has ended is returned as it is.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RunningJobCompleter))]
    public OBJob Job { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        JobRecord job = Agent.Jobs.Get(Job.JobId);
        string what = job.Kind == JobKind.Backup ? "backup" : "recovery";
        if (ShouldProcess(
            $"Stopping the {what} '{job.Id}'.",
            $"The {what} of {job.Started.LocalDateTime:g} will be stopped. What has arrived in the vault need not be sent again. Do you want to stop it?",
            "MSOnlineBackup"))
        {
            WriteObject(Run((_, stop) => Agent.Jobs.StopAsync(job.Id, stop)).ToOutput());
        }
    }
}
