using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Maintenance;
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
        _readPacks = Flag("--read-packs", "Check the hash of every stored object; needs no passphrase.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        VerifyReport report;
        if (context.Has(_readPacks))
        {
            report = context.Has(_readData)
                ? throw context.Invalid("Both --read-data and --read-packs were given.", "Give one of them; --read-data goes deeper.")
                : await context.Renderer.FollowAsync(monitor =>
                    BackupEngine.VerifyPacksAsync(_vault.OpenStore(context), monitor, context.Stop)).ConfigureAwait(false);
        }
        else
        {
            VerifyLevel level = context.Has(_readData) ? VerifyLevel.Data : VerifyLevel.Structure;
            BackupEngine engine = await _vault.OpenAsync(context).ConfigureAwait(false);
            report = await context.Renderer.FollowAsync(monitor => engine.VerifyAsync(level, monitor, context.Stop)).ConfigureAwait(false);
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
            report.Traffic)
        {
            ExitCode = (int)(report.Findings.Count == 0 ? ExitCode.Success : ExitCode.Failed),
        };
        string verdict = report.Findings.Count == 0
            ? "no problems found"
            : $"{Quantity.Count(report.Findings.Count)} problems found; the next backup stores again what it still finds at the source";
        string text =
            $"""
            verified  {Quantity.Count(report.Points)} points, {Quantity.Count(report.Objects)} objects, {Quantity.Count(report.Chunks)} chunks; {Quantity.Size(report.Bytes)} were read
            unused    {Quantity.Size(report.UnreferencedBytes)} and {report.Leftovers} broken objects, left by interrupted jobs{TrafficText.Line(report.Traffic, 10)}
            result    {verdict}
            """;
        return new Outcome(summary, text);
    }
}
