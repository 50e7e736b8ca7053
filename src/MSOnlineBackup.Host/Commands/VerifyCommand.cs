using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>verify</c>.</summary>
internal sealed class VerifyCommand : HostCommand
{
    private readonly VaultOptions _vault;
    private readonly Option<bool> _readData;
    private readonly Option<bool> _readPacks;

    public VerifyCommand()
        : base("verify", "Verify a vault: the structure, the stored bytes, or every piece of data.", "obengine verify --vault /mnt/backup --read-data")
    {
        _vault = new VaultOptions(this);
        _readData = Flag("--read-data", "Open every stored chunk: decrypt, decompress and identify it again.");
        _readPacks = Flag("--read-packs", "Compare every stored object with the checksum at its end; needs no passphrase.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        VerifyReport report;
        VaultTraffic? traffic;
        if (context.Has(_readPacks))
        {
            IVaultStore store = context.Has(_readData)
                ? throw context.Invalid("Both --read-data and --read-packs were given.", "Give one of them; --read-data goes deeper.")
                : _vault.OpenStore(context);
            report = await context.Renderer.FollowAsync(monitor => ClosedVault.VerifyPacksAsync(store, monitor, context.Stop)).ConfigureAwait(false);
            traffic = store.Traffic;
        }
        else
        {
            VerifyLevel level = context.Has(_readData) ? VerifyLevel.Data : VerifyLevel.Structure;
            BackupEngine engine = await _vault.OpenAsync(context, AskAhead.ForReading).ConfigureAwait(false);
            report = await context.Renderer.FollowAsync(monitor => engine.VerifyAsync(level, monitor, context.Stop)).ConfigureAwait(false);
            traffic = engine.Traffic;
        }

        Findings.Write(context.Renderer, report.Findings);
        var summary = new VerifySummary(
            report.Level,
            report.Points,
            report.Objects,
            report.Chunks,
            report.Bytes,
            report.UnreferencedBytes,
            report.Leftovers,
            report.Findings.Count,
            traffic)
        {
            ExitCode = (int)(report.Findings.Count == 0 ? ExitCode.Success : ExitCode.Failed),
        };
        string verdict = report.Findings.Count == 0
            ? "no problems found"
            : $"{Quantity.Count(report.Findings.Count, "problem")} found; what is missing the next backup stores again as far as the sources still hold it, what is damaged only when its pack is deleted";
        string text =
            $"""
            verified  {Quantity.Count(report.Points, "point")}, {Quantity.Count(report.Objects, "object")}, {Quantity.Count(report.Chunks, "chunk")}; {Quantity.Size(report.Bytes)} read
            unused    {Quantity.Size(report.UnreferencedBytes)} and {Quantity.Count(report.Leftovers, "broken object")}, left by interrupted jobs{TrafficText.Line(traffic, 10)}
            result    {verdict}
            """;
        return new Outcome(summary, text);
    }
}
