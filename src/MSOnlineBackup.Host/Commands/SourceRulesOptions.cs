using System.CommandLine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The options that say which sources are taken.</summary>
internal sealed class SourceRulesOptions
{
    private readonly Option<string?> _profile = new("--profile")
    {
        HelpName = "NAME",
        Description = "What sources are held to: Open or Mars. Default: MSONLINEBACKUP_PROFILE, or Open.",
    };

    private readonly Option<string[]> _allow = new("--allow-source")
    {
        HelpName = "KIND",
        Description = $"Take sources of a kind that the profile refuses or warns of: {string.Join(", ", Names)}. May be repeated.",
    };

    private readonly AgentSelection? _agent;

    /// <param name="command">The command.</param>
    /// <param name="agent">What names the profile already; null where nothing does.</param>
    public SourceRulesOptions(Command command, AgentSelection? agent = null)
    {
        _agent = agent;
        if (agent is null)
        {
            command.Add(_profile);
        }

        command.Add(_allow);
    }

    private static IEnumerable<string> Names => Enum.GetValues<SourceKind>().Select(SourceRules.OptionOf);

    /// <summary>The rules.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public SourceRules Read(CommandContext context)
    {
        string profile = (_agent is null ? context.Get(_profile) : _agent.ProfileNamed(context)) ?? context.Environment.Variable("MSONLINEBACKUP_PROFILE") ?? PolicyLimits.Open.Name;
        PolicyLimits limits = PolicyLimits.Find(profile)
            ?? throw context.Invalid($"There is no profile '{profile}'.", $"Use {PolicyLimits.Open.Name} or {PolicyLimits.Mars.Name}.", profile);
        return limits.Sources with { Allowed = [.. context.Get(_allow).Select(name => Parse(context, name))] };
    }

    private static SourceKind Parse(CommandContext context, string name) => Enum.GetValues<SourceKind>()
        .Where(kind => SourceRules.OptionOf(kind).Equals(name, StringComparison.OrdinalIgnoreCase))
        .Select(kind => (SourceKind?)kind)
        .FirstOrDefault() ?? throw context.Invalid($"There is no kind of source '{name}'.", $"Use one of: {string.Join(", ", Names)}.", name);
}
