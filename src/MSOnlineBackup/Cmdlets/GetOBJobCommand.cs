using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns the job that is running, or jobs of the past.</summary>
[Cmdlet(VerbsCommon.Get, "OBJob")]
[OutputType(typeof(OBJob))]
public sealed class GetOBJobCommand : OBCmdlet
{
    /// <summary>How many of the newest jobs that have ended; the oldest of them comes first.</summary>
    [Parameter(Position = 0)]
    public uint Previous { get; set; }

    /// <summary>Which of them: an old failure among newer successes is no news for ever.</summary>
    [Parameter(Position = 1)]
    public CBJobStatusFilter Status { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!IsGiven(nameof(Previous)))
        {
            if (IsGiven(nameof(Status)))
            {
                throw new BackupException(
                    BackupErrorId.ArgumentInvalid, "-Status selects among jobs that have ended, but -Previous was not given.", "Add -Previous, for example -Previous 10.", nameof(Status));
            }

            if (Agent.Jobs.Running is { } running)
            {
                WriteObject(running.ToOutput());
            }

            return;
        }

        WriteObject(
            Agent.Jobs.List().Where(job => job.State != JobState.InProgress).TakeLast(int.CreateSaturating(Previous)).Where(IsWanted)
                .Select(job => job.ToOutput()),
            enumerateCollection: true);
    }

    private bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    private bool IsWanted(JobRecord job) => Status switch
    {
        CBJobStatusFilter.Successful => job.State is JobState.Completed or JobState.CompletedWithWarnings,
        CBJobStatusFilter.Failed => job.State is JobState.Failed or JobState.Aborted,
        _ => true,
    };
}
