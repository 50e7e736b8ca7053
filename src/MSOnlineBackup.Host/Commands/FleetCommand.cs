using System.CommandLine;
using MSOnlineBackup.Agent.Fleets;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>fleet</c>.</summary>
internal sealed class FleetCommand : HostCommand
{
    private readonly Argument<string[]> _places;
    private readonly ConnectionOptions _connection;
    private readonly Option<string[]> _credentials;
    private readonly Option<string?> _maxAge;

    public FleetCommand()
        : base(
            "fleet",
            "Show the machines of one or more vaults, and first those that somebody should see to. It needs no passphrase, and tells nobody else.",
            "obengine fleet /pool/a /pool/b --monitoring-credential office.MonitoringCredential")
    {
        _places = Many("VAULT", "The vaults' folders, or the URLs of their containers.", ArgumentArity.OneOrMore);
        _connection = new ConnectionOptions(this);
        _credentials = Values("--monitoring-credential", "FILE", "What opens and proves the statuses of a chunk store's machines, from 'obengine vault monitoring-credential'.");
        _maxAge = Value("--max-age", "TIME", "How old a machine's newest backup may be, whatever it expects itself, such as 26h. Default: as it expects, and 2d where it says nothing.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        TimeSpan? maxAge = context.GetDuration(_maxAge);
        IReadOnlyList<MonitoringCredential> credentials = await MonitoringCredential.ReadAllAsync(context.Get(_credentials), context.Stop).ConfigureAwait(false);
        VaultConnection connection = _connection.Read(context);
        Fleet fleet = await FleetReader.ReadAsync(
            [.. context.Get(_places).Distinct().Select(place => (place, (Func<CancellationToken, Task<Vault>>)(stop =>
                Vault.OpenAsync(VaultLocation.Open(place, connection, context), context.VaultOptions, stop))))],
            credentials,
            own: null,
            maxAge,
            context.Stop).ConfigureAwait(false);
        return Tell(context, fleet);
    }

    private static Outcome Tell(CommandContext context, Fleet fleet)
    {
        foreach (FleetVault vault in fleet.Vaults)
        {
            foreach (string warning in vault.Warnings)
            {
                context.Renderer.Note(warning);
            }

            if (vault.Failure is { } failure)
            {
                context.Renderer.Warn(failure);
            }
        }

        List<FleetLine> lines = [.. fleet.Machines.Select(FleetLine.Of)];
        context.Renderer.Table(
            lines,
            new TextTable<FleetLine>(
                new Column<FleetLine>("MACHINE", line => line.Machine),
                new Column<FleetLine>("VAULT", line => line.Vault),
                new Column<FleetLine>("STATE", line => line.State.ToString().ToUpperInvariant()),
                new Column<FleetLine>("LAST BACKUP", line => line.LastSuccess is { } last ? context.LocalTime(last) : "never"),
                new Column<FleetLine>("EXPECTED BY", line => line.Due is { } due ? context.LocalTime(due) : "-"),
                new Column<FleetLine>("VERSION", line => line.IsOutdated ? $"{line.AgentVersion} (old)" : line.AgentVersion),
                new Column<FleetLine>("", line => line.State == ComplianceState.Ok ? "" : line.Message)));
        int alarming = lines.Count(line => line.State != ComplianceState.Ok);
        int unread = fleet.Vaults.Count(vault => vault.Failure is not null);
        var summary = new FleetSummary(fleet.Vaults.Count, unread, lines.Count, alarming) { ExitCode = (int)(alarming + unread > 0 ? ExitCode.Failed : ExitCode.Success) };
        string machines = lines.Count == 0 ? "No machine was found."
            : alarming == 0 ? $"{Quantity.Count(lines.Count, "machine")}, and all backups come as expected."
            : $"{Quantity.Count(alarming)} of {Quantity.Count(lines.Count, "machine")} should be looked at.";
        return new Outcome(summary, unread == 0 ? machines : $"{machines} {Quantity.Count(unread, "vault")} could not be read.");
    }
}
