using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>job log</c>: what a job of this machine's agent did, line by line.</summary>
internal sealed class JobLogCommand : HostCommand
{
    private readonly Argument<Guid?> _id;
    private readonly AgentSelection _agent;

    public JobLogCommand()
        : base("log", "Show the log of a job of this machine's agent, while it runs and afterwards.", "obengine job log 6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
    {
        _id = new Argument<Guid?>("ID") { Description = "The job's id. Default: the newest job.", Arity = ArgumentArity.ZeroOrOne };
        Add(_id);
        _agent = new AgentSelection(this);
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        BackupAgent agent = _agent.Open(context);
        Guid id = context.Parsed.GetValue(_id) ?? Newest(agent);
        IReadOnlyList<JobLogEntry> log = agent.Jobs.ReadLog(id);
        foreach (JobLogEntry entry in log)
        {
            context.Renderer.Item(
                new JobLogLine(id, entry.Time, entry.Level, entry.Event, entry.Message, entry.Id, entry.Path, entry.Action, entry.Settings, entry.Figures),
                line => Describe(context, line));
        }

        return Task.FromResult(new Outcome(new ListSummary("job log", log.Count), log.Count == 0 ? $"The job {id} has no log: an earlier version ran it." : ""));
    }

    private static string Describe(CommandContext context, JobLogLine line)
    {
        string path = line.Path is null ? "" : $" '{VisibleText.Line(line.Path)}'";
        string id = line.Id is null ? "" : $" ({line.Id})";
        string settings = string.Concat((line.Settings ?? new Dictionary<string, string>()).Select(setting => $"\n    {setting.Key} = {VisibleText.Line(setting.Value)}"));
        string figures = string.Concat((line.Figures ?? new Dictionary<string, long>()).Select(figure => $"\n    {figure.Key} = {Quantity.Count(figure.Value)}"));
        return $"{context.LocalTime(line.Time)}  {line.Level,-7}  {line.Event,-7}{path}  {VisibleText.Line(line.Message)}{id}{settings}{figures}";
    }

    private static Guid Newest(BackupAgent agent) => agent.Jobs.List() is [.., var newest] ? newest.Id : throw new BackupException(
        BackupErrorId.JobNotFound,
        "This machine has no jobs on record.",
        "Start one: Start-OBBackup, or 'obengine schedule run'. A backup by 'obengine backup' alone has no record.");
}
