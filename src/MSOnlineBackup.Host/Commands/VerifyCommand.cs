using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
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

    public VerifyCommand()
        : base("verify", "Verify a vault: the structure, the stored bytes, or every piece of data.", "obengine verify --vault /mnt/backup --read-data")
    {
        _vault = new VaultSelection(this);
        _readData = Flag("--read-data", "Open every stored chunk: decrypt it, decompress it and check its identity.");
        _readPacks = Flag("--read-packs", "Compare every stored object with the checksum at its end; needs no passphrase.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
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
                await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).VerifyAsync(level, monitor, context.Stop).ConfigureAwait(false)).ConfigureAwait(false);
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
            report.Findings.Count,
            traffic)
        {
            ExitCode = (int)exitCode,
        };
        return new Outcome(summary, report.Level == VerifyLevel.Packs ? DescribePacks(report, traffic) : Describe(report, traffic));
    }

    private static string Describe(VerifyReport report, VaultTraffic? traffic)
    {
        string others = report.OtherStores == 0 ? "" : $"\nnot seen  {Quantity.Count(report.OtherStores, "object")} of chunk stores that this passphrase does not open";
        return
            $"""
            verified  {Quantity.Count(report.Points, "point")} with {Quantity.Count(report.Entries)} entries, {Quantity.Count(report.DistinctEntries)} of them distinct; {Quantity.Count(report.Objects, "object")}, {Quantity.Count(report.Chunks, "chunk")}; {Quantity.Size(report.Bytes)} read
            unused    {Quantity.Size(report.UnreferencedBytes)} in packs, {Quantity.Size(report.StaleBytes)} in checkpoints, and {Quantity.Count(report.Leftovers, "broken object")} that nothing needs{others}{Unknown(report)}{TrafficText.Line(traffic, 10)}
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
