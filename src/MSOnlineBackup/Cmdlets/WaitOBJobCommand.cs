using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Jobs;
using MSOnlineBackup.Model.Conversions;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Waits until a job has ended, whatever process it runs in, shows how far it is, and returns it. Ctrl+C ends the waiting, not the job.</summary>
[Cmdlet(VerbsLifecycle.Wait, "OBJob")]
[OutputType(typeof(OBJob))]
public sealed class WaitOBJobCommand : OBEngineCmdlet
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(250);

    /// <summary>The job, or its id. One that has ended is returned as it is.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RunningJobCompleter))]
    public OBJob Job { get; set; } = null!;

    /// <summary>For how many seconds at most; then the job is returned as it is. Until it has ended, if it is not given.</summary>
    [Parameter(Position = 1)]
    [ValidateRange(0, int.MaxValue)]
    public int Timeout { get; set; } = int.MaxValue;

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        JobRecord job = Agent.Jobs.Get(Job.JobId);
        var display = new JobDisplay(job.Kind, string.Join(", ", job.Sources.Select(source => source.Name)));
        long begun = TimeProvider.System.GetTimestamp();
        while (job.State == JobState.InProgress && TimeProvider.System.GetElapsedTime(begun).TotalSeconds < Timeout)
        {
            pump.WriteProgress(display.BarOf(job));
            await Task.Delay(_interval, stop).ConfigureAwait(false);
            job = Agent.Jobs.Get(job.Id);
        }

        await pump.WriteObjectAsync(job.ToOutput()).ConfigureAwait(false);
    });
}
