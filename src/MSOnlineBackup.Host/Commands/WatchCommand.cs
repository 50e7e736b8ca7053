using System.CommandLine;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>watch</c>.</summary>
internal sealed class WatchCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;
    private readonly Option<string[]> _credentials;
    private readonly Option<string?> _maxAge;
    private readonly Option<string?> _interval;
    private readonly AgentSelection _agent;

    public WatchCommand()
        : base(
            "watch",
            "Find machines of a vault whose backups are late, fail, shrink, were never made or are paused. It needs no passphrase, and runs on any machine that may read the vault.",
            """
            obengine watch /mnt/backup --monitoring-credential office.MonitoringCredential
            obengine watch /mnt/backup --max-age 26h --interval 15m --json
            """)
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
        _credentials = Values("--monitoring-credential", "FILE", "What opens and proves the statuses of a chunk store's machines, from 'obengine vault monitoring-credential'.");
        _maxAge = Value("--max-age", "TIME", "How old a machine's newest backup may be, whatever it expects itself, such as 26h. Default: as it expects, and 2d where it says nothing.");
        _interval = Value("--interval", "TIME", "Look again and again, after this time, until stopped; at least 1m. Default: once.");
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        TimeSpan? maxAge = context.GetDuration(_maxAge);
        TimeSpan? interval = context.GetDuration(_interval);
        if (interval < TimeSpan.FromMinutes(1))
        {
            throw context.Invalid($"The interval of {context.Get(_interval)} is too short.", "Look once a minute at most; every quarter of an hour is enough.");
        }

        IReadOnlyList<MonitoringCredential> credentials = await MonitoringCredential.ReadAllAsync(context.Get(_credentials), context.Stop).ConfigureAwait(false);
        IVaultStore store = VaultLocation.Open(context.Get(_place), _connection.Read(context), context);

        // What was told is remembered by it, wherever the next look is made from.
        string vault = store.Location.Contains("://", StringComparison.Ordinal) ? store.Location : Path.GetFullPath(store.Location);
        AlarmDesk alarms = _agent.Open(context).Alarms;
        VaultWatch? watch = null;
        while (true)
        {
            Outcome? outcome = null;
            try
            {
                watch ??= (await Vault.OpenAsync(store, context.VaultOptions, context.Stop).ConfigureAwait(false)).Watch(credentials, maxAge);
                VaultCompliance found = await watch.LookAsync(context.Stop).ConfigureAwait(false);
                outcome = Tell(context, found, await TellOthersAsync(context, alarms, vault, found, null).ConfigureAwait(false));
            }
            catch (BackupException e) when (e.Id is not (BackupErrorId.MonitoringCredentialInvalid or BackupErrorId.AlarmSettingsInvalid or BackupErrorId.StateInvalid or BackupErrorId.StateAccessDenied))
            {
                // That nothing is known is an alarm, too. Whoever watches goes on: the vault may come back.
                await TellOthersAsync(context, alarms, vault, null, e).ConfigureAwait(false);
                if (interval is null)
                {
                    throw;
                }

                context.Renderer.Warn(e);
            }

            if (interval is not { } pause)
            {
                return outcome!;
            }

            await Task.Delay(pause, context.Environment.Time, context.Stop).ConfigureAwait(false);
        }
    }

    private static async Task<int> TellOthersAsync(CommandContext context, AlarmDesk alarms, string vault, VaultCompliance? found, BackupException? failure)
    {
        IReadOnlyList<BackupException> undelivered = await alarms.TellAsync(vault, found, failure, context.Stop).ConfigureAwait(false);
        foreach (BackupException untold in undelivered)
        {
            context.Renderer.Warn(untold);
        }

        return undelivered.Count;
    }

    private static Outcome Tell(CommandContext context, VaultCompliance found, int undelivered)
    {
        foreach (string warning in found.Warnings)
        {
            context.Renderer.Note(warning);
        }

        List<ComplianceLine> lines = [.. found.Policies.Select(policy => ComplianceLine.Of(found, policy))];
        context.Renderer.Table(
            lines,
            new TextTable<ComplianceLine>(
                new Column<ComplianceLine>("MACHINE", line => line.Machine),
                new Column<ComplianceLine>("POLICY", line => line.Policy ?? "-"),
                new Column<ComplianceLine>("STATE", line => line.State.ToString().ToUpperInvariant()),
                new Column<ComplianceLine>("LAST BACKUP", line => line.LastSuccess is { } last ? context.LocalTime(last) : "never"),
                new Column<ComplianceLine>("EXPECTED BY", line => line.Due is { } due ? context.LocalTime(due) : "-"),
                new Column<ComplianceLine>("", line => line.State == ComplianceState.Ok ? "" : line.Message)));
        int alarming = found.Policies.Count(policy => policy.IsAlarming);
        var summary = new WatchSummary(found.At, lines.Count, alarming, undelivered) { ExitCode = (int)(alarming + undelivered > 0 ? ExitCode.Failed : ExitCode.Success) };
        return new Outcome(summary, alarming == 0 ? "All backups come as expected." : $"{Quantity.Count(alarming)} of {Quantity.Count(lines.Count)} should be looked at.");
    }
}
