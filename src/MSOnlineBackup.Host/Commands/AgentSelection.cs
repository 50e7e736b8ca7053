using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Which machine's agent a command works with: options of every command that needs its state.</summary>
internal sealed class AgentSelection
{
    private readonly Option<string?> _state = new("--state") { HelpName = "DIR", Description = "The folder of the machine's state. Default: MSONLINEBACKUP_STATE, or this account's." };
    private readonly Option<string?> _profile = new("--profile") { HelpName = "NAME", Description = "What policies are held to: Open or Mars. Default: MSONLINEBACKUP_PROFILE, or Open." };
    private readonly Option<string?> _machine = new("--machine") { HelpName = "NAME", Description = "The name of this machine. Default: MSONLINEBACKUP_MACHINE, or its host name." };

    /// <param name="command">The command.</param>
    /// <param name="hasMachine">Whether <c>--machine</c> names this machine; where not, the command has another use for the name, and the variable says what this machine is called.</param>
    public AgentSelection(Command command, bool hasMachine = true)
    {
        command.Add(_state);
        command.Add(_profile);
        if (hasMachine)
        {
            command.Add(_machine);
        }
    }

    /// <summary>The machine that was named; null where none was.</summary>
    public string? MachineNamed(CommandContext context) => context.Get(_machine);

    /// <summary>The profile that was named; null where none was.</summary>
    public string? ProfileNamed(CommandContext context) => context.Get(_profile);

    /// <summary>The agent.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public BackupAgent Open(CommandContext context)
    {
        string profile = context.Get(_profile) ?? context.Environment.Variable("MSONLINEBACKUP_PROFILE") ?? PolicyLimits.Open.Name;
        return MachineAgent.Open(
            context.Get(_machine) ?? context.Environment.Variable("MSONLINEBACKUP_MACHINE") ?? context.Environment.MachineName,
            PolicyLimits.Find(profile) ?? throw context.Invalid($"There is no profile '{profile}'.", $"Use {PolicyLimits.Open.Name} or {PolicyLimits.Mars.Name}.", profile),
            wait => VaultLocation.Note(wait, context),
            context.Get(_state) is { } folder ? Path.GetFullPath(folder) : context.Environment.Variable("MSONLINEBACKUP_STATE"),
            clock: context.Environment.Time,
            scheduler: SchedulerVariable.Read(context.Environment.Variable(SchedulerVariable.Name)),
            scheduleProgram: context.Environment.Program,
            health: new HealthContext { ModuleFolder = InstalledModule.FindFolder(OwnProgram.Folder) },
            systemLog: SystemLogChoice.Read(context.Environment.Variable(SystemLogChoice.Variable)));
    }
}
