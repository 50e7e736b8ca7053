using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns what a job did, line by line.</summary>
[Cmdlet(VerbsCommon.Get, "OBJobLog")]
[OutputType(typeof(OBJobLogEntry))]
public sealed class GetOBJobLogCommand : OBCmdlet
{
    /// <summary>The job, or its id.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(JobCompleter))]
    public OBJob Job { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() =>
        WriteObject(Agent.Jobs.ReadLog(Job.JobId).Select(entry => entry.ToOutput(Job.JobId)), enumerateCollection: true);
}
