using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>agent backup</c>.</summary>
internal sealed class AgentBackupCommand : AgentHostCommand
{
    private readonly Argument<string[]> _hosts;
    private readonly Option<bool> _all;
    private readonly VaultSelection _vault;
    private readonly Option<string[]> _sources;
    private readonly SelectionOptions _selection;
    private readonly Option<string[]> _tags;
    private readonly Option<string?> _name;
    private readonly Option<bool> _force;
    private readonly Option<bool> _verifyWrites;
    private readonly Option<Compression> _compression;
    private readonly Option<SnapshotMode> _snapshot;
    private readonly Option<string?> _scripts;
    private readonly SourceRulesOptions _rules;
    private readonly Option<string?> _atOnce;

    public AgentBackupCommand()
        : base(
            "backup",
            "Have other machines back up into a vault of this one, over ssh. They need no passphrase, no port and no access of their own, and can only add to the vault, each under its name.",
            "obengine agent backup web1 web2 --vault /pool/a --source /srv --source /etc --exclude '*.tmp'")
    {
        _hosts = Many("HOST", "The machines, on which an agent was put.", ArgumentArity.ZeroOrMore);
        _all = Flag("--all", "All on which this machine has put agents.");
        _vault = new VaultSelection(this);
        _sources = Values("--source", "PATH", "A folder or a file of each machine, by its full path there.");
        _selection = new SelectionOptions(this);
        _tags = Values("--tag", "WORD", "A word to attach to the recovery points.");
        _name = Value("--name", "NAME", "The name of the machine in the vault, where it is one. Default: HOST as it is given.");
        _force = Flag("--force", "Read every file again, whatever the previous recovery point says.");
        _verifyWrites = Flag("--verify-writes", "Open every chunk again before sending it, and compare it with what was read. Default: one in sixteen.");
        _compression = Choice("--compression", "How hard the machines compress: fastest for slow processors; better or max for slow lines.", Compression.Default);
        _snapshot = Choice("--snapshot", "Whether snapshots of the machines' volumes are read: auto where there are any, require or else make no recovery point, never to read in place.", SnapshotMode.Auto);
        _scripts = Value("--scripts", "FILE", "Run the scripts that this file of each machine names before and after the snapshots are taken (VMSnapshotScriptPluginConfig.json).");
        _atOnce = Value("--at-once", "N", $"How many machines work at once, 1 to {RemoteBackups.MostMachinesAtOnce}. Default: {RemoteBackups.UsualMachinesAtOnce}.");
        Own = new AgentSelection(this);
        _rules = new SourceRulesOptions(this, Own);
    }

    public override bool IsJob => true;

    public override string StopNote => "Stopping; what has arrived in the vault stays usable, and the next run continues from there. Interrupt again to end at once.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> hosts = context.Get(_hosts);
        if (context.Has(_all) == hosts.Count > 0)
        {
            throw context.Invalid("A backup takes either machines or --all.", "Name machines, or use --all alone.");
        }

        if (context.Get(_sources).Count == 0)
        {
            throw context.Invalid("Nothing was named to back up.", "Name folders or files of the machines with --source.");
        }

        int atOnce = AtOnce(context);
        Agent.BackupAgent own = Own.Open(context);
        (IReadOnlyList<RemoteMachine> machines, IReadOnlyList<RemoteResult> unknown) =
            context.Has(_all) ? ([.. own.Remotes.List().Select(agent => agent.Machine)], []) : Known(own.Remotes, hosts);
        if (context.Get(_name) is not null && machines.Count + unknown.Count != 1)
        {
            throw context.Invalid("--name is for one machine.", "Name one machine with it.");
        }

        RemoteBackupOrder order = Order(context);
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Write).ConfigureAwait(false);
        var progress = new ManyProgress();
        IReadOnlyList<RemoteBackupOutcome> outcomes = await context.Renderer.FollowAsync(
            progress.Sum,
            () => own.RemoteBackups.With(atOnce).RunAsync(
                [.. machines.Select(machine => (machine, order with { MachineName = context.Get(_name) ?? machine.HostName }))], vault, progress, context.Stop)).ConfigureAwait(false);
        return Tell(context, unknown, outcomes);
    }

    private int AtOnce(CommandContext context) => context.Get(_atOnce) is not { } text ? RemoteBackups.UsualMachinesAtOnce
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= RemoteBackups.MostMachinesAtOnce ? number
        : throw context.Invalid($"'{text}' is not a number from 1 to {RemoteBackups.MostMachinesAtOnce}.", "Say how many machines work at once: --at-once 4.", text);

    private RemoteBackupOrder Order(CommandContext context) => new()
    {
        MachineName = "",
        Sources = context.Get(_sources),
        Selection = _selection.Read(context),
        Rules = _rules.Read(context),
        Tags = context.Get(_tags),
        ReadEverything = context.Has(_force),
        VerifyOneIn = context.Has(_verifyWrites) ? 1 : BackupRequest.UsualVerifyOneIn,
        Compression = context.Parsed.GetValue(_compression),
        Snapshots = context.Parsed.GetValue(_snapshot),
        ScriptFile = context.Get(_scripts),
    };

    private static Outcome Tell(CommandContext context, IReadOnlyList<RemoteResult> unknown, IReadOnlyList<RemoteBackupOutcome> outcomes)
    {
        foreach (BackupException said in unknown.Select(result => result.Failure!).Concat(outcomes.SelectMany(Errors)))
        {
            context.Renderer.Warn(said);
        }

        foreach (string note in outcomes.SelectMany(outcome => outcome.Notes.Select(note => $"{outcome.Machine.HostName}: {note}")))
        {
            context.Renderer.Note(note);
        }

        List<RemoteBackupLine> lines = [.. unknown.Select(RemoteBackupLine.Of), .. outcomes.Select(RemoteBackupLine.Of)];
        context.Renderer.Table(
            lines,
            new TextTable<RemoteBackupLine>(
                new Column<RemoteBackupLine>("MACHINE", line => line.Host),
                new Column<RemoteBackupLine>("POINT", line => line.PointId is { } id ? ShortId.Of(id) : "NONE"),
                new Column<RemoteBackupLine>("FILES", line => Quantity.Count(line.Files)),
                new Column<RemoteBackupLine>("SIZE", line => Quantity.Size(line.Bytes)),
                new Column<RemoteBackupLine>("STORED", line => Quantity.Size(line.StoredBytes)),
                new Column<RemoteBackupLine>("SKIPPED", line => Quantity.Count(line.Skipped)),
                new Column<RemoteBackupLine>("", line => line.Error ?? (line.LostSources.Count > 0 ? $"lost: {string.Join(", ", line.LostSources)}" : ""))));
        int failed = lines.Count(line => line.Error is not null);
        int lost = lines.Count(line => line.LostSources.Count > 0);
        long skipped = lines.Sum(line => line.Skipped);
        ExitCode code = failed > 0 ? ExitCode.Failed : lost > 0 ? ExitCode.SourceLost : skipped > 0 ? ExitCode.CompletedWithSkips : ExitCode.Success;
        return new Outcome(
            new RemoteBackupSummary(lines.Count, failed, skipped) { ExitCode = (int)code },
            failed > 0 ? $"{Quantity.Count(failed)} of {Quantity.Count(lines.Count, "machine")} failed." : "");
    }

    private static IEnumerable<BackupException> Errors(RemoteBackupOutcome outcome) =>
        [.. outcome.Warnings, .. outcome.LostSources.Select(lost => lost.Failure), .. outcome.Failure is { } failure ? new[] { failure } : []];
}
