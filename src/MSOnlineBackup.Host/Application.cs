using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host;

/// <summary>Composes the command line and runs one command of it.</summary>
/// <param name="environment">What the process is given from outside.</param>
/// <param name="watchForStop">Begins to listen for the wish to stop; called when a command is about to run.</param>
internal sealed class Application(HostEnvironment environment, Func<CancellationToken> watchForStop)
{
    private readonly Option<bool> _json = Global("--json", "Write JSON lines to standard output: progress, items, and a summary or an error at the end.");
    private readonly Option<bool> _quiet = Global("--quiet", "Write errors, skipped items and listings only.", "-q");
    private readonly Option<bool> _debug = Global("--debug", "Show where an error came from.");

    /// <summary>Parses the arguments, runs the command, and reports how it went.</summary>
    /// <returns>The process's exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        int code = await RunParsedAsync(arguments).ConfigureAwait(false);
        await environment.Output.FlushAsync().ConfigureAwait(false);
        return TellOfLostOutput(code);
    }

    private async Task<int> RunParsedAsync(IReadOnlyList<string> arguments)
    {
        // A path may begin with '@': nothing is read from response files.
        ParseResult parsed = CreateRoot().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        HostEnvironment speaks = parsed.CommandResult.Command is HostCommand { WritesBytes: true } ? environment with { Output = environment.Error } : environment;
        IRenderer renderer = Renderers.Create(speaks, parsed.GetValue(_json), parsed.GetValue(_quiet), parsed.GetValue(_debug));
        if (environment.IsWindows && SwallowedQuote.Find(arguments, NameOf(parsed.CommandResult.Command)) is { } swallowed)
        {
            renderer.Fail(swallowed);
            return (int)ExitCode.Usage;
        }

        switch (parsed.Action)
        {
            case RunsAsHostCommand when UnknownOption(parsed) is { } unknown:
                renderer.Fail(Failure.Usage(
                    $"'{unknown}' is not an option of '{NameOf(parsed.CommandResult.Command)}'. A path that begins with '-' goes after '--'.",
                    NameOf(parsed.CommandResult.Command)));
                return (int)ExitCode.Usage;
            case RunsAsHostCommand when EmptyValue(parsed) is { } empty:
                renderer.Fail(Failure.Usage($"The value of {empty} is empty; perhaps a variable is not set.", NameOf(parsed.CommandResult.Command)));
                return (int)ExitCode.Usage;
            case RunsAsHostCommand:
                return (int)await RunAsync((HostCommand)parsed.CommandResult.Command, parsed, renderer).ConfigureAwait(false);
            case ParseErrorAction:
                renderer.Fail(Failure.Usage(Describe(parsed), NameOf(parsed.CommandResult.Command)));
                return (int)ExitCode.Usage;
            default:
                return await parsed.InvokeAsync(new InvocationConfiguration { Output = environment.Output, Error = environment.Error }).ConfigureAwait(false);
        }
    }

    /// <summary>A command with those above it, as it is typed.</summary>
    public static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{NameOf(parent)} {command.Name}" : "obengine";

    /// <summary>The whole command line.</summary>
    internal RootCommand CreateRoot()
    {
        var root = new RootCommand("Encrypted, deduplicating, incremental backups.")
        {
            new DrillCommand(),
            new CommandGroup("vault", "Create and inspect vaults.", "obengine vault create /mnt/backup", new VaultCreateCommand(), new VaultCopyCommand(), new VaultInfoCommand(), new VaultAlarmsCommand(), new VaultMonitoringCredentialCommand(), new VaultProofCommand(), new VaultProtectionCommand(), new VaultSettingsCommand(), new VaultRehydrateCommand()),
            new CommandGroup("seed", "First backups that travel to their vault on a disk.", "obengine seed create /mnt/disk/seed /srv/vault", new SeedCreateCommand(), new SeedImportCommand()),
            new WatchCommand(),
            new FleetCommand(),
            new CommandGroup("alarm", "Say where alarms of 'obengine watch' go.", AlarmSetCommand.HelpExample, new AlarmSetCommand(), new AlarmShowCommand(), new AlarmTestCommand(), new AlarmRemoveCommand()),
            new BackupCommand(),
            new PointsCommand(),
            new CommandGroup(
                "snapshots",
                "List and remove the snapshots of volumes that stay on this machine after backups.",
                "obengine snapshots list --json",
                new SnapshotsListCommand(),
                new SnapshotsRemoveCommand()),
            new SkippedCommand(),
            new ListCommand(),
            new FindCommand(),
            new DiffCommand(),
            new CatCommand(),
            new RestoreCommand(),
            new MountCommand(),
            new MountsCommand(),
            new UnmountCommand(),
            new CommandGroup("serve", "Show recovery points to programs of this machine, and a vault to other machines.", "obengine serve webdav latest --vault /mnt/backup", new ServeWebDavCommand(), new ServeNbdCommand(), new ServeStoreCommand(), new ServeBackupCommand(), new ServeThawCommand()),
            new CommandGroup("image", "Back up and restore virtual machines with their disks, run them from recovery points, and look into disks there.", "obengine image ls latest vda:2:/etc --machine vm1 --vault /mnt/backup", new ImageBackupCommand(), new ImageListCommand(), new ImageCatCommand(), new ImageRestoreCommand(), new ImageStartCommand(), new ImageUploadCommand(), new ImageRestoreMachineCommand(), new ImageRestoreDiskCommand(), new ImageReplaceDiskCommand()),
            new VerifyCommand(),
            new RetentionCommand(),
            new CapacityCommand(),
            new ReportCommand(),
            new MaintainCommand(),
            new RepairCommand(),
            new CommandGroup(
                "key",
                "Manage the passphrases and Key Vault keys that open a vault.",
                "obengine key change --vault /mnt/backup",
                new KeyListCommand(),
                new KeyAddCommand(),
                new KeyChangeCommand(),
                new KeyRotateCommand(),
                new KeyRemoveCommand()),
            new CommandGroup("machine", "List the machines of a vault, and rename them.", "obengine machine list /mnt/backup", new MachineListCommand(), new MachineRenameCommand()),
            new CommandGroup("owner", "What only the owner of a vault can do.", "obengine owner pin /mnt/backup --owner-file Office.VaultOwner", new OwnerPinCommand()),
            new CommandGroup("approver", "Approve of what destroys, as the second person.", "obengine approver approve /mnt/backup alice.VaultOwner", new ApproverNewCommand(), new ApproverApproveCommand()),
            new CommandGroup("job", "Run background jobs for this machine's agent, and show what jobs did.", JobRunCommand.HelpExample, new JobRunCommand(), new JobLogCommand()),
            new CommandGroup(
                "schedule",
                "Have the system's scheduler run the backups of this machine's policies.",
                ScheduleStatusCommand.HelpExample,
                ScheduleStatusCommand.Install(),
                ScheduleStatusCommand.Show(),
                new ScheduleRemoveCommand(),
                new ScheduleRunCommand()),
            new HealthCommand(),
            new UpdateCommand(),
            new CommandGroup("agent", "Put obengine on other machines over ssh, keep it up to date there, and have them back up.", AgentInstallCommand.HelpExample, new AgentInstallCommand(), new AgentListCommand(), new AgentUpdateCommand(), new AgentRollbackCommand(), new AgentRemoveCommand(), new AgentBackupCommand()),
            new CommandGroup("group", "The machines that this one, their server, backs up as one.", "obengine group list --json", new GroupListCommand(), new GroupCreateCommand(), new GroupChangeCommand(), new GroupRemoveCommand(), new GroupBackupCommand()),
            new CommandGroup("server", "Find again what a server knew.", "obengine server sync /pool/a", new ServerSyncCommand()),
            new CommandGroup("diagnostic", "What whoever is to help has to know.", DiagnosticExportCommand.HelpExample, new DiagnosticExportCommand()),
            _json,
            _quiet,
            _debug,
        };
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        return root;
    }

    [SuppressMessage("Design", "CA1031", Justification = "The one place where every failure becomes a message and an exit code; bugs are named as such.")]
    private async Task<ExitCode> RunAsync(HostCommand command, ParseResult parsed, IRenderer renderer)
    {
        CancellationToken stop = watchForStop();
        using CancellationTokenRegistration onStop = stop.Register(
            () => renderer.Note(command.StopNote));
        long start = environment.Time.GetTimestamp();
        try
        {
            Outcome outcome = await command.RunAsync(new CommandContext(parsed, environment, renderer, stop)).ConfigureAwait(false);
            double seconds = Math.Round(environment.Time.GetElapsedTime(start).TotalSeconds, 3);
            renderer.Finish(outcome.Summary with { DurationSeconds = seconds }, outcome.Text);
            return (ExitCode)outcome.Summary.ExitCode;
        }
        catch (Exception e)
        {
            Failure failure = Failure.From(e, stop.IsCancellationRequested);
            renderer.Fail(failure);
            return failure.ExitCode;
        }
    }

    // Whoever reads only the code must not take for told what was told to nobody.
    private int TellOfLostOutput(int code)
    {
        if (environment.OutputFault() is { } fault)
        {
            environment.Error.WriteLine(
                $"obengine: Standard output could not be written: {Reason(fault)}. What this command did is not undone. ({nameof(BackupErrorId.OutputFailed)})");
        }

        bool lost = environment.OutputFault() is not null || environment.ErrorFault() is not null;
        return lost && (ExitCode)code is (ExitCode.Success or ExitCode.CompletedWithSkips) ? (int)ExitCode.Failed : code;

        // What the runtime calls a lack of rights is, within, a descriptor that is none.
        static string Reason(Exception fault) => VisibleText.Line((fault.InnerException ?? fault).Message).TrimEnd('.');
    }

    // A mistyped option would else pass for a path, where paths are many.
    private static string? UnknownOption(ParseResult parsed)
    {
        int literal = parsed.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Skip(1).Count();
        return parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .SkipLast(literal)
            .FirstOrDefault(token => token.Value is ['-', _, ..])?.Value;
    }

    // To mean everything, a path is left out and not left empty. A program that is run may be given what it likes.
    private static string? EmptyValue(ParseResult parsed)
    {
        Token[] literal = [.. parsed.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash)];
        return parsed.CommandResult.Children
            .Where(given => given.Tokens.Any(token => token.Value.Length == 0 && !literal.Contains(token, ReferenceEqualityComparer.Instance)))
            .Select(given => given is OptionResult option ? option.Option.Name : ((ArgumentResult)given).Argument.Name)
            .FirstOrDefault();
    }

    // A mistyped command is reported twice: as missing and as unknown.
    private static string Describe(ParseResult parsed) => parsed.UnmatchedTokens.Count == 0
        ? string.Join(" ", parsed.Errors.Select(error => error.Message))
        : $"'{parsed.UnmatchedTokens[0]}' is not a command or an argument of '{NameOf(parsed.CommandResult.Command)}'.";

    private static Option<bool> Global(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, Arity = ArgumentArity.Zero, Recursive = true };
}
