using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns what a job skipped, and why.</summary>
[Cmdlet(VerbsCommon.Get, "OBSkippedItem")]
[OutputType(typeof(OBSkippedItem))]
public sealed class GetOBSkippedItemCommand : OBCmdlet
{
    /// <summary>The job, or its id.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(JobCompleter))]
    public OBJob Job { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() =>
        WriteObject(Agent.Jobs.ListSkipped(Job.JobId).Select(item => item.ToOutput(Job.JobId)), enumerateCollection: true);
}
