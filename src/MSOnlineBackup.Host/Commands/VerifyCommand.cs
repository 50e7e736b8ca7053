using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>verify</c>.</summary>
internal sealed class VerifyCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<bool> _readData;
    private readonly Option<bool> _readPacks;
    private readonly Option<string?> _share;
    private readonly Option<string?> _olderThan;
    private readonly Option<string?> _trialRestore;
    private readonly TrialRestoreRun _trial;

    public VerifyCommand()
        : base(
            "verify",
            "Verify a vault: the structure, the stored bytes, every piece of data, or a part of it.",
            """
            obengine verify --vault /mnt/backup --read-data
            obengine verify --vault /mnt/backup --share 1/30
            obengine verify --vault /mnt/backup --trial-restore 100
            """)
    {
        _vault = new VaultSelection(this);
        _readData = Flag("--read-data", "Open every stored chunk: decrypt it, decompress it and check its identity.");
        _readPacks = Flag("--read-packs", "Compare every stored object with the checksum at its end; needs no passphrase.");
        _share = Value("--share", "PART", "Open a part of the data: a share such as 1/30 or 5%, or a size such as 20G. What was not read for the longest time comes first; the vault keeps on record what was read.");
        _olderThan = Value("--older-than", "TIME", "Open the data that was not read for this long, such as 30d, and keep that on record.");
        _trialRestore = Value("--trial-restore", "FILES", "Restore a random sample of a recovery point's files into a temporary folder, compare it and remove it again: a number of files, or a share such as 5%.");
        _trial = new TrialRestoreRun(
            Value("--point", "POINT", "With --trial-restore, of this point. Default: latest."),
            Value("--machine", "NAME", "With --trial-restore, only of this machine's points."),
            Value("--seed", "NUMBER", "With --trial-restore, draw the same sample again that a trial with this seed had."),
            Value("--max-bytes", "SIZE", "With --trial-restore, the most bytes of the sample. Default: 1G."));
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        if (ReadShare(context) is { } share)
        {
            return await VerifyShareAsync(context, share).ConfigureAwait(false);
        }

        if (context.Get(_trialRestore) is { } sample)
        {
            using UnlockedVault tried = await _vault.UnlockAsync(context).ConfigureAwait(false);
            return await _trial.RunAsync(context, tried, sample).ConfigureAwait(false);
        }

        VerifyReport report;
        VaultTraffic? traffic;
        if (context.Has(_readPacks))
        {
            IVaultStore store = context.Has(_readData)
                ? throw context.Invalid("Both --read-data and --read-packs were given.", "Give one of them; --read-data goes deeper.")
                : _vault.OpenStore(context);
            report = await context.Renderer.FollowAsync(monitor => Vault.VerifyPacksAsync(store, monitor, context.Stop)).ConfigureAwait(false);
            traffic = store.Traffic;
        }
        else
        {
            VerifyLevel level = context.Has(_readData) ? VerifyLevel.Data : VerifyLevel.Structure;
            using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
            report = await context.Renderer.FollowAsync(async monitor =>
                await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).VerifyAsync(level, monitor, context.Stop, keepsRecord: true).ConfigureAwait(false)).ConfigureAwait(false);
            traffic = vault.Traffic;
        }

        Findings.Write(context.Renderer, report.Findings);
        foreach (UnfinishedSession session in report.Unfinished)
        {
            context.Renderer.Item(
                new UnfinishedLine(session.SessionId.ToString(), session.MachineId.ToString(), session.Started),
                line => $"NO POINT  session {ShortId.Of(line.SessionId)} of machine {ShortId.Of(line.MachineId)}, begun {context.LocalTime(line.Started)}, is newer than the machine's newest point: it is running, was killed or lost its vault");
        }

        foreach (string name in report.Strangers)
        {
            context.Renderer.Item(new UnknownLine(name), line => $"UNKNOWN  {line.Object}");
        }

        ExitCode exitCode = report.Findings.Count > 0 ? ExitCode.Failed : report.Unfinished.Count > 0 ? ExitCode.CompletedWithSkips : ExitCode.Success;
        var summary = new VerifySummary(
            report.Level,
            report.Points,
            report.Entries,
            report.DistinctEntries,
            report.Objects,
            report.Chunks,
            report.Bytes,
            report.UnreferencedBytes,
            report.Leftovers,
            report.OtherStores,
            report.StrangerCount,
            report.Unfinished.Count,
            report.StaleBytes,
            report.UnfinishedWrites.Count,
            report.UnfinishedWrites.Bytes,
            report.ChunksFromCopies,
            report.ChunksFromParity,
            report.Findings.Count,
            traffic)
        {
            ExitCode = (int)exitCode,
        };
        return new Outcome(summary, report.Level == VerifyLevel.Packs ? DescribePacks(report, traffic) : Describe(report, traffic));
    }

    private async Task<Outcome> VerifyShareAsync(CommandContext context, ShareRequest request)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        ShareReport report = await context.Renderer.FollowAsync(monitor => vault.Proofs.VerifyShareAsync(request, monitor, context.Stop)).ConfigureAwait(false);
        Findings.Write(context.Renderer, report.Findings);
        bool isSound = report.Findings.Count == 0 && report.DamagedPacks.Count == 0;
        var summary = new ShareSummary(
            report.Packs, report.Bytes, report.PacksInAll, report.BytesInAll, report.DamagedPacks.Count, report.Oldest, report.Findings.Count, vault.Traffic)
        {
            ExitCode = (int)(isSound ? ExitCode.Success : ExitCode.Failed),
        };
        string text =
            $"""
            verified  {Quantity.Size(report.Bytes)} in {Quantity.Count(report.Packs, "pack")}, of {Quantity.Size(report.BytesInAll)} in {Quantity.Count(report.PacksInAll)}
            oldest    {(report.Oldest is { } oldest ? $"all was written or read since {context.LocalTime(oldest)}" : "-")}{TrafficText.Line(vault.Traffic, 10)}
            result    {(isSound ? "no problems found" : $"{Quantity.Count(report.DamagedPacks.Count, "pack")} damaged or missing, by what was found now and before; 'obengine verify --read-data' says which files suffer by it")}
            """;
        return new Outcome(summary, text);
    }

    private ShareRequest? ReadShare(CommandContext context)
    {
        string? share = context.Get(_share);
        string? age = context.Get(_olderThan);
        bool isTrial = context.Get(_trialRestore) is not null;
        int given = new[] { share is not null, age is not null, isTrial, context.Has(_readData), context.Has(_readPacks) }.Count(isGiven => isGiven);
        return (share ?? age) is null && !(isTrial && given > 1) ? null
            : given > 1 ? throw context.Invalid(
                "--share, --older-than and --trial-restore go with no other way to verify.", "Give one of --share, --older-than, --trial-restore, --read-data and --read-packs.")
            : share is not null ? ParseShare(context, share)
            : new ShareRequest { OlderThan = context.GetDuration(_olderThan) };
    }

    private static ShareRequest ParseShare(CommandContext context, string text)
    {
        double? share = text.Split('/') is [var part, var all] ? Number(part) / Number(all) : text.EndsWith('%') ? Number(text[..^1]) / 100 : null;
        return share is > 0 and <= 1 ? new ShareRequest { Share = share }
            : share is not null || text.Contains('/', StringComparison.Ordinal) || text.EndsWith('%')
                ? throw context.Invalid($"'{text}' is not a part for --share.", "Write a share above 0 and up to 1, such as 1/30 or 5%, or a size such as 20G.", text)
            : new ShareRequest { Share = 1, MaxBytes = SelectionOptions.ParseSize(context, text) };
    }

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : double.NaN;

    private static string Describe(VerifyReport report, VaultTraffic? traffic)
    {
        string others = report.OtherStores == 0 ? "" : $"\nnot seen  {Quantity.Count(report.OtherStores, "object")} of chunk stores that this passphrase does not open";
        return
            $"""
            verified  {Quantity.Count(report.Points, "point")} with {Quantity.Count(report.Entries)} entries, {Quantity.Count(report.DistinctEntries)} of them distinct; {Quantity.Count(report.Objects, "object")}, {Quantity.Count(report.Chunks, "chunk")}; {Quantity.Size(report.Bytes)} read
            unused    {Quantity.Size(report.UnreferencedBytes)} in packs, {Quantity.Size(report.StaleBytes)} in checkpoints, and {Quantity.Count(report.Leftovers, "broken object")} that nothing needs{others}{HealedText.Line(report.ChunksFromCopies, report.ChunksFromParity, 10)}{Unknown(report)}{TrafficText.Line(traffic, 10)}
            result    {Verdict(report)}
            """;
    }

    private static string DescribePacks(VerifyReport report, VaultTraffic? traffic) =>
        $"""
        verified  {Quantity.Count(report.Objects, "object")}, {Quantity.Count(report.Points, "point")} among them; {Quantity.Size(report.Bytes)} read
        not seen  what needs the passphrase: whether an object is missing or is in the place of another{Unknown(report)}{TrafficText.Line(traffic, 10)}
        result    {Verdict(report)}
        """;

    private static string Unknown(VerifyReport report)
    {
        string unknown = report.StrangerCount == 0 ? "" : $"\nunknown   {Quantity.Count(report.StrangerCount, "object")} that this version would not put into a vault";
        string temporary = report.UnfinishedWrites.Count == 0 ? "" : $"\nunwritten {VaultInfoCommand.Describe(report.UnfinishedWrites)}";
        return unknown + temporary;
    }

    private static string Verdict(VerifyReport report) => report.Findings.Count == 0
        ? "no problems found"
        : $"{Quantity.Count(report.Findings.Count, "problem")} found; 'obengine repair' mends what it can, and the next backup stores again what the sources still hold";
}
