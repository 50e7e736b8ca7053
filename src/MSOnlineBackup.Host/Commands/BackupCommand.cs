using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Producers;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>backup</c>.</summary>
internal sealed class BackupCommand : HostCommand
{
    private readonly Argument<string[]> _paths;
    private readonly VaultSelection _vault;
    private readonly Option<string[]> _copyTo;
    private readonly SelectionOptions _selection;
    private readonly Option<string[]> _tags;
    private readonly Option<string?> _machine;
    private readonly Option<Compression> _compression;
    private readonly Option<SnapshotMode> _snapshot;
    private readonly Option<string?> _keep;
    private readonly Option<string?> _scripts;
    private readonly SourceRulesOptions _rules;
    private readonly Option<bool> _force;
    private readonly Option<bool> _verifyWrites;
    private readonly Option<bool> _dryRun;
    private readonly Option<string?> _stdin;
    private readonly Option<bool> _command;

    public BackupCommand()
        : base(
            "backup",
            "Back up folders, files, standard input or a program's output.",
            """
            obengine backup ~/Documents ~/Pictures --vault /mnt/backup --exclude '*.tmp' --exclude-larger-than 2GiB
            obengine backup --vault /mnt/backup --stdin mydb.sql --command -- pg_dump mydb
            """)
    {
        _paths = Many("PATH", "Folders and files to back up, on Linux also block devices. With --command: the program and its arguments.", ArgumentArity.ZeroOrMore);
        _vault = new VaultSelection(this);
        _copyTo = Values("--copy-to", "TWIN", "A twin of the vault that the backup goes to as well, by its folder or URL. It holds the backup up in nothing; what it lacks is copied at the end.");
        _selection = new SelectionOptions(this);
        _tags = Values("--tag", "WORD", "A word to attach to the recovery point.");
        _machine = Value("--machine", "NAME", "The name of this machine in the vault. Default: the host name.");
        _force = Flag("--force", "Read every file again, whatever the previous recovery point says.");
        _verifyWrites = Flag("--verify-writes", "Open every chunk again before sending it, and compare it with what was read. Default: one in sixteen.");
        _compression = Choice(
            "--compression",
            "How hard to compress: fastest for a slow processor; better or max for a slow line, or for storage that is paid by size.",
            Compression.Default);
        _snapshot = Choice(
            "--snapshot",
            "Whether snapshots of the volumes are read: auto where there are any, require or else make no recovery point, never to read in place.",
            SnapshotMode.Auto);
        _keep = Value(
            "--keep-local-snapshots",
            "N",
            "Have the snapshots of this machine's last N backups stay, 0 to 64, so that they can be restored from without the vault. Without it, those that stay are left as they are.");
        _scripts = Value("--scripts", "FILE", "Run the scripts that this file names before and after the snapshots are taken (VMSnapshotScriptPluginConfig.json).");
        _rules = new SourceRulesOptions(this);
        _dryRun = Flag("--dry-run", "List what would be backed up, and how much of it is new. Read no contents and write nothing.", "-n");
        _stdin = Value("--stdin", "NAME", "Back up standard input, or with --command the program's output, as a file of this name.");
        _command = Flag("--command", "Run the program after '--', without a shell, and back up what it prints. If its status is not 0, no recovery point is made.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using Producer? producer = context.Has(_command) ? StartProducer(context) : null;
        BackupRequest request = Request(context, producer);
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Write).ConfigureAwait(false);
        request = request with { Twins = [.. context.Get(_copyTo).Distinct().Select(place => _vault.Twin(context, vault, place))] };
        return context.Has(_dryRun)
            ? await PreviewAsync(context, vault, request).ConfigureAwait(false)
            : await BackUpAsync(context, vault, request).ConfigureAwait(false);
    }

    private Producer StartProducer(CommandContext context)
    {
        IReadOnlyList<string> commandLine = context.Get(_paths);
        if (commandLine.Count == 0)
        {
            throw context.Invalid("--command needs a program.", "Write it after two dashes: --command -- pg_dump mydb.");
        }

        return context.Has(_dryRun)
            ? throw context.Invalid("--dry-run cannot foresee what a program will print.", "Leave out --dry-run or --command.")
            : Producer.Start(commandLine, context.Stop);
    }

    private BackupRequest Request(CommandContext context, Producer? producer)
    {
        var sources = new List<BackupSource>();
        string? name = context.Get(_stdin);
        if (producer is not null)
        {
            sources.Add(producer.ToSource(FileName(context, name ?? Path.GetFileName(context.Get(_paths)[0]))));
        }
        else
        {
            SourceSelection selection = _selection.Read(context);
            sources.AddRange(context.Get(_paths).Select(path => new BackupSource.Tree(path, selection)));
            if (name is not null)
            {
                sources.Add(StandardInput(context, FileName(context, name)));
            }
        }

        if (sources.Count == 0)
        {
            throw context.Invalid("Nothing was named to back up.", "Name a folder or a file, or use --stdin or --command.");
        }

        var request = new BackupRequest
        {
            MachineName = context.Get(_machine) ?? context.Environment.MachineName,
            Sources = sources,
            Tags = context.Get(_tags),
            ReadEverything = context.Has(_force),
            VerifyOneIn = context.Has(_verifyWrites) ? 1 : BackupRequest.UsualVerifyOneIn,
            Compression = context.Parsed.GetValue(_compression),
            OwnFolders = [AgentOptions.DefaultStateFolder],
            Rules = _rules.Read(context),
            Snapshots = AgentOptions.SnapshotsIn(AgentOptions.DefaultStateFolder, context.Parsed.GetValue(_snapshot)) with { Keep = Keep(context) },
            ScriptFile = context.Get(_scripts) is { } scripts ? Path.GetFullPath(scripts) : null,
        };
        request.Check();
        return request;
    }

    private int? Keep(CommandContext context) => context.Get(_keep) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= SnapshotOptions.MostKept ? count
        : throw context.Invalid($"'{text}' is not a number from 0 to {SnapshotOptions.MostKept}.", "Say of how many backups the snapshots stay: --keep-local-snapshots 2.", text);

    private BackupSource.Input StandardInput(CommandContext context, string name)
    {
        if (context.Has(_dryRun))
        {
            throw context.Invalid("--dry-run cannot foresee standard input.", "Leave out --dry-run or --stdin.");
        }

        return context.Environment.OpenInput is { } open
            ? new BackupSource.Input(name, new StoppableInput(open(), context.Stop))
            : throw context.Invalid("--stdin was given, but standard input is the terminal.", "Pipe something into it: pg_dump mydb | obengine backup --stdin mydb.sql …");
    }

    private static string FileName(CommandContext context, string name) =>
        name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0')
            ? throw context.Invalid($"'{name}' is not the name of a file.", "Give --stdin a name without a folder, for example mydb.sql.", name)
            : name;

    private static async Task<Outcome> BackUpAsync(CommandContext context, UnlockedVault vault, BackupRequest request)
    {
        using IDisposable? held = await AgentJobs.TryHoldAsync(vault.Vault, request.MachineName, context.Environment.Time, context.Stop).ConfigureAwait(false);
        BackupResult result;
        var status = new BackupStatus(context, vault, request.MachineName);
        try
        {
            result = await context.Renderer.FollowAsync(monitor => vault.BackUpAsync(request, monitor, context.Stop)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            await status.TellAsync(e).ConfigureAwait(false);
            throw;
        }

        await status.TellAsync(result).ConfigureAwait(false);
        return Describe(context, result, vault.Traffic);
    }

    /// <summary>What is said of a backup that made its point.</summary>
    internal static Outcome Describe(CommandContext context, BackupResult result, VaultTraffic? traffic)
    {
        BackupSummary summary = Summarize(result, traffic);
        string resumed = summary.ResumedFrom is null ? "" : "\nresumed   an interrupted backup was continued";
        string skipped = summary.Skipped == 0 ? "" : $"\nskipped   {Quantity.Count(summary.Skipped)}; 'obengine skipped {ShortId.Of(summary.PointId)}' lists them";
        string warned = string.Concat(summary.Warnings.Select(warning => $"\nWARNING   {warning}"));
        string copied = string.Concat(result.Copies.Select(copy => "\n" + Describe(copy)));
        string lost = string.Concat(result.LostSources.Select(source => $"\nLOST      {source.Failure.Message} {source.Failure.RecommendedAction}"));
        string text =
            $"""
            point     {ShortId.Of(summary.PointId)} of {summary.Machine}, {context.LocalTime(summary.Ended)}
            files     {Quantity.Count(summary.Files)}: {Quantity.Count(summary.NewFiles)} new, {Quantity.Count(summary.ChangedFiles)} changed, {Quantity.Count(summary.UnchangedFiles)} unchanged
            size      {Quantity.Size(summary.Bytes)}, of which {Quantity.Size(summary.ReadBytes)} were read
            snapshot  {SnapshotText.Of(result.Point.Consistency)}
            new       {Quantity.Size(summary.NewBytes)}, stored in {Quantity.Size(summary.StoredBytes)} ({Quantity.Ratio(summary.NewBytes, summary.StoredBytes)})
            time      {Quantity.Duration(summary.Ended - summary.Started)}{TrafficText.Line(summary.Traffic, 10)}{copied}{resumed}{skipped}{warned}{lost}
            """;
        return new Outcome(summary, text);
    }

    internal static BackupSummary Summarize(BackupResult result, VaultTraffic? traffic)
    {
        PointLine point = PointLine.Of(result.Point);
        return new BackupSummary(
            point.Id,
            point.Machine,
            point.Started,
            point.Ended,
            point.Status,
            point.Entries,
            point.Files,
            point.Directories,
            point.Bytes,
            result.NewFiles,
            result.ChangedFiles,
            result.UnchangedFiles,
            result.ReadBytes,
            point.NewBytes,
            point.StoredBytes,
            point.Skipped,
            point.Consistency,
            point.ConsistencyReason,
            [.. result.LostSources.Select(source => source.Name)],
            [.. result.Point.Sources.Select(source => source.Warning).OfType<string>()],
            result.ResumedFromSession?.ToString(),
            traffic)
        {
            Copies = [.. result.Copies.Select(copy => new CopiedBackup(copy.Location, copy.Failure is null, copy.Report?.PointsCopied ?? 0, copy.AlongBytes, copy.Report?.Bytes ?? 0, copy.Failure?.Message))],
            ExitCode = (int)(result.LostSources.Count > 0 ? ExitCode.SourceLost
                : point.Status == nameof(RecoveryPointStatus.Completed) && result.Copies.All(copy => copy.Failure is null) ? ExitCode.Success
                : ExitCode.CompletedWithSkips),
        };
    }

    private static string Describe(BackupCopy copy) => copy.Failure is { } failure ? $"NO COPY   {failure.Message}"
        : $"copy      in {copy.Location}: {Quantity.Count(copy.Report!.PointsCopied, "point")}, {Quantity.Size(copy.AlongBytes)} sent along, {Quantity.Size(copy.Report.Bytes)} copied afterwards";

    private static async Task<Outcome> PreviewAsync(CommandContext context, UnlockedVault vault, BackupRequest request)
    {
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        var total = new PreviewSummary();
        bool anyLost = false;
        await foreach (BackupPreviewItem item in index.PreviewAsync(request, context.Stop, context.Renderer.Note).ConfigureAwait(false))
        {
            context.Renderer.Item(
                new PreviewLine(item.Path, item.Kind, item.Size, item.Change),
                line => $"{line.Change,-10}  {(line.Kind == EntryKind.File ? Quantity.Size(line.Bytes) : ""),8}  {line.Path}");
            if (item.Failure is { } failure)
            {
                context.Renderer.Skip(new SkippedItem(item.Path, failure.Id, failure.Message));
            }

            total = Add(total, item);
            anyLost |= item.IsLostSource;
        }

        string text =
            $"""
            new         {Quantity.Count(total.NewItems, "item")}, {Quantity.Size(total.NewBytes)}
            changed     {Quantity.Count(total.ChangedItems, "item")}, {Quantity.Size(total.ChangedBytes)}
            unchanged   {Quantity.Count(total.UnchangedItems, "item")}, {Quantity.Size(total.UnchangedBytes)}
            unreadable  {Quantity.Count(total.UnreadableItems, "item")}
            """;
        ExitCode code = anyLost ? ExitCode.SourceLost
            : total.UnreadableItems == 0 ? ExitCode.Success
            : ExitCode.CompletedWithSkips;
        return new Outcome(total with { ExitCode = (int)code }, text);
    }

    private static PreviewSummary Add(PreviewSummary total, BackupPreviewItem item) => item.Change switch
    {
        PreviewChange.New => total with { NewItems = total.NewItems + 1, NewBytes = total.NewBytes + item.Size },
        PreviewChange.Changed => total with { ChangedItems = total.ChangedItems + 1, ChangedBytes = total.ChangedBytes + item.Size },
        PreviewChange.Unreadable => total with { UnreadableItems = total.UnreadableItems + 1 },
        _ => total with { UnchangedItems = total.UnchangedItems + 1, UnchangedBytes = total.UnchangedBytes + item.Size },
    };
}
