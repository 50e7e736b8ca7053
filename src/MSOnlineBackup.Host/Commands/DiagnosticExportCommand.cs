using System.CommandLine;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Host.Documents;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>diagnostic export</c>.</summary>
internal sealed class DiagnosticExportCommand : HostCommand
{
    public const string HelpExample = "obengine diagnostic export report.zip";

    private readonly Argument<string> _file;
    private readonly AgentSelection _agent;

    public DiagnosticExportCommand()
        : base("export", "Write versions, settings, policies, jobs and their logs, schedules and health of this machine into one zip file. No secret is in it.", HelpExample)
    {
        _file = Required("FILE", "The new file, or a folder that is there: the file is named by the time then.");
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        AgentHealth health = _agent.Open(context).Health;
        string file = health.PlaceReport(Path.GetFullPath(context.Get(_file)));
        await health.ExportAsync(file, context.Stop).ConfigureAwait(false);
        return new Outcome(new DiagnosticSummary(file), $"'{file}' has no secret in it, but names of machines, folders and files: read it before you pass it on.");
    }
}
