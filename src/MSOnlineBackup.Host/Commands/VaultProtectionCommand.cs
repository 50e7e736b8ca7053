using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault protection</c>.</summary>
internal sealed class VaultProtectionCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;

    public VaultProtectionCommand()
        : base(
            "protection",
            "Try, with the rights that are at hand, what an attacker would, and say what held. Nothing that is backed up is touched.",
            "obengine vault protection /mnt/backup")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault vault = await Vault.OpenAsync(
            VaultLocation.Open(context.Get(_place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        IReadOnlyList<ProtectionFinding> findings = await vault.TestProtectionAsync(keepsOwnerKey: false, context.Stop).ConfigureAwait(false);
        foreach (ProtectionFinding finding in findings)
        {
            context.Renderer.Item(
                new ProtectionLine(finding.Check, finding.Verdict, finding.Detail, finding.Advice),
                line => $"{Describe(line.Result),-8}  {line.Check,-12}  {line.Detail}{(line.Advice.Length == 0 ? "" : $"\n{"",24}{line.Advice}")}");
        }

        int open = findings.Count(finding => finding.Verdict == ProtectionVerdict.NotHeld);
        return new Outcome(new ListSummary("vault protection", open), open == 0 ? "All that was tried held." : $"{Quantity.Count(open, "attempt")} succeeded.");
    }

    private static string Describe(ProtectionVerdict verdict) => verdict switch
    {
        ProtectionVerdict.Held => "held",
        ProtectionVerdict.NotHeld => "NOT HELD",
        _ => "-",
    };
}
