using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>repair data</c>.</summary>
internal class RepairDataCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<bool> _dryRun;
    private readonly Option<string?> _share;
    private readonly Option<bool> _recordedOnly;

    public RepairDataCommand(string name, string summary, string example)
        : base(name, summary, example)
    {
        _vault = new VaultSelection(this);
        _dryRun = Flag("--dry-run", "Say what is damaged and what would be done, and change nothing.");
        _share = Value("--share", "PERCENT", "How many of the stored packs are read, from 0 to 100, chosen at random. 0 finds only packs that are missing or shortened. Default: 100.");
        _recordedOnly = Flag("--recorded-only", "Read only the packs that are on record as damaged, because a verification, a restore or a backup met them. They are mended first in any case.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        var request = new RepairRequest { IsRehearsal = context.Has(_dryRun), Share = ReadShare(context), RecordedOnly = context.Has(_recordedOnly) };
        if (request.RecordedOnly && context.Get(_share) is not null)
        {
            throw context.Invalid("Both --recorded-only and --share were given.", "Give one of them.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        RepairReport report = await context.Renderer.FollowAsync(monitor => vault.RepairAsync(request, monitor, context.Stop)).ConfigureAwait(false);
        foreach (PackRepair pack in report.Packs)
        {
            context.Renderer.Item(
                new RepairedLine(pack.Object, pack.Problem, pack.Salvaged, pack.FromCopies, pack.FromParity, pack.Lost, pack.LostBytes),
                line => $"DAMAGED  {line.Object}: {line.Problem}\n         {Fate(pack)}");
        }

        Findings.Write(context.Renderer, report.Findings);
        foreach (UnfinishedSession session in report.WaitingFor)
        {
            context.Renderer.Item(
                new WaitingLine(session.SessionId.ToString(), session.MachineId.ToString(), session.Started),
                line => $"WAITS FOR  session {ShortId.Of(line.SessionId)} of machine {ShortId.Of(line.MachineId)}, begun {context.LocalTime(line.Started)}, which is running, or was killed");
        }

        if (report.Unfinished is { } unfinished)
        {
            context.Renderer.Note(unfinished);
        }

        var summary = new DataRepairSummary(
            report.IsRehearsal,
            report.PacksRead,
            report.BytesRead,
            report.Packs.Count,
            report.ChunksSalvaged,
            report.ChunksFromCopies,
            report.ChunksFromParity,
            report.ChunksLost,
            report.Packs.Sum(pack => pack.LostBytes),
            report.BytesWritten,
            report.PacksDeleted,
            report.PacksIndexed,
            report.ObjectsRemoved,
            report.ObjectsRestored,
            report.CommitsRestored,
            report.PointsAffected,
            report.FilesAffected,
            report.WaitingFor.Count,
            report.Unfinished,
            report.Findings.Count,
            vault.Traffic)
        {
            ExitCode = (int)(report.Findings.Count > 0 ? ExitCode.Failed : report.Unfinished is not null ? ExitCode.CompletedWithSkips : ExitCode.Success),
        };
        return new Outcome(summary, Describe(report, vault));
    }

    private double ReadShare(CommandContext context) => context.Get(_share) is not { } text ? 1
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent <= 100 ? percent / 100
        : throw context.Invalid($"'{text}' is not a percentage.", "Write a number from 0 to 100, without a sign.", text);

    private static string Fate(PackRepair pack) =>
        $"{Quantity.Count(pack.Salvaged, "chunk")} salvaged, {pack.FromCopies} found elsewhere, {pack.FromParity} from parity, {pack.Lost} lost ({Quantity.Size(pack.LostBytes)})";

    private static string Describe(RepairReport report, UnlockedVault vault)
    {
        string index = report.PacksIndexed == 0 ? "" : $"\nindex     {Quantity.Count(report.PacksIndexed, "pack")} {(report.IsRehearsal ? "would be " : "")}named again";
        string others = report.ObjectsRemoved + report.ObjectsRestored + report.CommitsRestored == 0
            ? ""
            : $"\nothers    {Quantity.Count(report.ObjectsRemoved, "damaged object")} {(report.IsRehearsal ? "would be " : "")}removed, {Quantity.Count(report.ObjectsRestored, "object")} restored from second copies, {Quantity.Count(report.CommitsRestored, "confirmation")} of points restored";
        return
            $"""
            read      {Quantity.Size(report.BytesRead)} in {Quantity.Count(report.PacksRead, "pack")}
            damaged   {Quantity.Count(report.Packs.Count, "pack")}: {Quantity.Count(report.ChunksSalvaged, "chunk")} salvaged, {report.ChunksFromCopies} found elsewhere, {report.ChunksFromParity} from parity, {report.ChunksLost} lost
            deleted   {Quantity.Count(report.PacksDeleted, "damaged pack")}{(report.WaitingFor.Count == 0 ? "" : $"; the others with a later run, once {Quantity.Count(report.WaitingFor.Count, "job")} ended")}{index}{others}{TrafficText.Line(vault.Traffic, 10)}
            result    {Verdict(report)}{(report.IsRehearsal ? "; nothing was changed" : "")}
            """;
    }

    private static string Verdict(RepairReport report) => report.Findings.Count == 0
        ? "all that recovery points need is there"
        : $"{Quantity.Count(report.Findings.Count, "problem")} left, by which {Quantity.Count(report.FilesAffected, "file")} of {Quantity.Count(report.PointsAffected, "point")} suffer: back up, which stores again what the sources still have";
}
