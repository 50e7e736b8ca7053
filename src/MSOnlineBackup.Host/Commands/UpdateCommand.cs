using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Terminal;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>update</c>.</summary>
internal sealed class UpdateCommand : HostCommand
{
    private readonly Argument<string?> _package;
    private readonly Option<bool> _rollback;
    private readonly Option<bool> _allowDowngrade;
    private readonly Option<bool> _dryRun;
    private readonly Option<string?> _module;
    private readonly AgentSelection _agent;

    public UpdateCommand()
        : base("update", "Bring the module on this machine to the version of a package, or back to the version before. Registration, policies and index stay.",
            "obengine update MSOnlineBackup.0.2.0.nupkg\nobengine update --rollback")
    {
        _package = Optional("PACKAGE", "The package: a .nupkg or .zip file. A .sha256 file beside it is compared first.");
        _rollback = Flag("--rollback", "Go back to the version that was in use before the last update.");
        _allowDowngrade = Flag("--allow-downgrade", "Take a package that is older than what is installed, too.");
        _dryRun = Flag("--dry-run", "Compare the package with its hashes, say what would be done, and change nothing.");
        _module = Value("--module", "DIR", "The folder of the module, with MSOnlineBackup.psd1. Default: that of the module that this obengine belongs to.");
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        bool isBack = context.Has(_rollback);
        string? file = context.GetOptional(_package);
        if (isBack == file is not null || (isBack && context.Has(_allowDowngrade)))
        {
            throw context.Invalid("An update takes either a package or --rollback.", "Name a package, or use --rollback alone.");
        }

        string folder = context.Get(_module) is { } named
            ? Path.GetFullPath(named)
            : InstalledModule.FindFolder(OwnProgram.Folder) ?? throw context.Invalid(
                "This obengine belongs to no module.", "Name the module's folder by --module. An obengine that was published by itself is replaced as it was installed.");
        if (isBack)
        {
            return context.Has(_dryRun)
                ? Describe(new AgentUpdate(AgentUpdates.ForeseeRollBack(folder), [], null), isDone: false)
                : Describe(await _agent.Open(context).Updates.RollBackAsync(folder, context.Stop).ConfigureAwait(false), isDone: true);
        }

        using ModulePackage package = await ModulePackage.OpenAsync(Path.GetFullPath(file!), context.Stop).ConfigureAwait(false);
        if (context.Has(_dryRun))
        {
            return Describe(new AgentUpdate(AgentUpdates.Foresee(folder, package, context.Has(_allowDowngrade)), [], null), isDone: false);
        }

        AgentUpdate update = await _agent.Open(context).Updates.UpdateAsync(folder, package, context.Has(_allowDowngrade), context.Stop).ConfigureAwait(false);
        if (update.Unscheduled is { } unscheduled)
        {
            context.Renderer.Warn(unscheduled);
        }

        return Describe(update, isDone: true);
    }

    private static Outcome Describe(AgentUpdate update, bool isDone)
    {
        ModuleChange change = update.Change;
        string text = !change.IsChange ? $"Version {change.NewVersion} is installed already."
            : !isDone ? $"Version {change.OldVersion} would become {change.NewVersion}, in '{change.Folder}'."
            : $"Version {change.OldVersion} became {change.NewVersion}, in '{change.Folder}'. A session that has the module imported keeps the version that it has until it ends.";
        return new Outcome(
            new UpdateSummary(change.OldVersion, change.NewVersion, change.Folder, change.PreviousFolder, isDone && change.IsChange, [.. update.Schedules.Select(AgentSchedules.NameOfKind)])
            {
                ExitCode = (int)(update.Unscheduled is null ? ExitCode.Success : ExitCode.Failed),
            },
            text);
    }
}
