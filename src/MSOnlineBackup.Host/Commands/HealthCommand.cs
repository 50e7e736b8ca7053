using System.CommandLine;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>health</c>.</summary>
internal sealed class HealthCommand : HostCommand
{
    private readonly Option<bool> _prerequisites;
    private readonly Option<string?> _scratch;
    private readonly Option<bool> _all;
    private readonly AgentSelection _agent;

    public HealthCommand()
        : base("health", "Check everything that backups of this machine need, and say what is amiss, why, and what to do. Nothing is changed.",
            "obengine health --json")
    {
        _prerequisites = Flag("--prerequisites", "Check only what the machine must have before anything is set up.");
        _scratch = Value("--scratch", "DIR", "With --prerequisites: the folder that is to be the scratch folder.");
        _all = Flag("--all", "Show what passes, and what does not apply, too. With --json everything is written.");
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string? scratch = context.Get(_scratch) is { } folder ? Path.GetFullPath(folder) : null;
        if (scratch is not null && !context.Has(_prerequisites))
        {
            throw context.Invalid("--scratch is for --prerequisites only.", "Add --prerequisites, or leave out --scratch.");
        }

        bool isJson = context.Parsed.GetValue<bool>("--json");
        AgentHealth health = _agent.Open(context).Health;
        IReadOnlyList<HealthFinding> findings = context.Has(_prerequisites)
            ? await health.TestPrerequisitesAsync(scratch, context.Stop).ConfigureAwait(false)
            : await health.TestAsync(context.Stop).ConfigureAwait(false);
        foreach (HealthFinding finding in findings)
        {
            bool isAmiss = finding.Verdict is HealthVerdict.Fail or HealthVerdict.Warning;
            if (isAmiss || isJson || context.Has(_all))
            {
                context.Renderer.Item(
                    new HealthLine(finding.Check, finding.Verdict, finding.Cause, finding.Fix, finding.Row),
                    line => line.Fix.Length > 0 ? $"{line.Result,-13}  {line.Check}: {line.Cause}\n{"",13}  {line.Fix}"
                        : $"{line.Result,-13}  {line.Check}: {line.Cause}");
            }
        }

        int failed = findings.Count(finding => finding.Verdict == HealthVerdict.Fail);
        int warned = findings.Count(finding => finding.Verdict == HealthVerdict.Warning);
        return new Outcome(
            new HealthSummary(findings.Count, failed, warned) { ExitCode = (int)(failed > 0 ? ExitCode.Failed : ExitCode.Success) },
            failed + warned == 0 ? "Nothing is amiss." : $"{Quantity.Count(failed, "check")} failed, {Quantity.Count(warned, "warning")}.");
    }
}
