using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Documents;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>job run</c>: what runs a background job in a process of its own.</summary>
internal sealed class JobRunCommand : HostCommand
{
    /// <summary>The example, which the group above it shows too.</summary>
    public const string HelpExample = "obengine job run 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --state /var/lib/msonlinebackup";

    private readonly Argument<Guid> _id;
    private readonly Option<string> _state;

    public JobRunCommand()
        : base("run", "Run a background job that the module has ordered. The module runs this command; it is not meant to be typed.", HelpExample)
    {
        _id = new Argument<Guid>("ID") { Description = "The job's id: the name of its folder." };
        _state = new Option<string>("--state") { HelpName = "DIR", Required = true, Description = "The folder of the machine's state." };
        Add(_id);
        Add(_state);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Guid id = context.Parsed.GetRequiredValue(_id);
        BackupAgent agent = MachineAgent.Open(
            context.Environment.MachineName,
            PolicyLimits.Open,
            wait => VaultLocation.Note(wait, context),
            context.Parsed.GetRequiredValue(_state),
            clock: context.Environment.Time,
            scheduleProgram: context.Environment.Program,
            systemLog: SystemLogChoice.Read(context.Environment.Variable(SystemLogChoice.Variable)));
        using var input = new StreamReader(context.Environment.OpenInput?.Invoke() ?? Stream.Null);
        try
        {
            return Describe(await agent.Jobs.RunStartedAsync(id, stop => input.ReadLineAsync(stop).AsTask(), context.Stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!context.Stop.IsCancellationRequested)
        {
            // Stopped by a wish of which this process's signals know nothing.
            return Describe(agent.Jobs.Get(id));
        }
    }

    private static Outcome Describe(JobRecord job)
    {
        ExitCode code = job.State switch
        {
            JobState.Completed => ExitCode.Success,
            JobState.CompletedWithWarnings when job.Error is not null => ExitCode.SourceLost,
            JobState.CompletedWithWarnings => ExitCode.CompletedWithSkips,
            _ => ExitCode.Stopped,
        };
        var summary = new JobSummary(job.Id, job.Kind, job.State, job.RecoveryPointId?.ToString(), job.NewBytes, job.StoredBytes, job.Skipped, job.Traffic) { ExitCode = (int)code };
        return new Outcome(summary, $"{job.Kind} {job.Id}: {job.State}");
    }
}
