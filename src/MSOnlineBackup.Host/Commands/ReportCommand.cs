using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>report</c>.</summary>
internal sealed class ReportCommand : HostCommand
{
    private readonly Argument<string> _file;
    private readonly VaultSelection _vault;
    private readonly Option<string[]> _credentials;
    private readonly Option<string?> _format;
    private readonly Option<string?> _objective;
    private readonly Option<string?> _days;
    private readonly Option<string?> _price;
    private readonly Option<string?> _currency;
    private readonly Option<bool> _force;

    public ReportCommand()
        : base(
            "report",
            "Write how a vault stands into one file: its machines, what they brought, alarms, protection, cost. As a page that needs nothing else, CSV, or JSON.",
            "obengine report vault.html --vault /mnt/backup")
    {
        _file = Required("FILE", "The file; .html, .csv or .json says the format.");
        _vault = new VaultSelection(this);
        _credentials = Values("--monitoring-credential", "FILE", "What opens the statuses of another chunk store's machines, from 'obengine vault monitoring-credential'.");
        _format = Value("--format", "html|csv|json", "As what it is written, whatever the file's extension.");
        _objective = Value("--objective", "TIME", "How old the newest recovery point of a machine may be at any time, such as 26h. Default: 1d.");
        _days = Value("--days", "N", "For how many days the objective and the growth are shown, 1 to 366. Default: 30.");
        _price = Value("--price", "NUMBER", "What a GiB costs in a month. Default: no cost is shown.");
        _currency = Value("--currency", "CODE", "Of the price, such as EUR.");
        _force = Flag("--force", "Replace a file that exists.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string file = Path.GetFullPath(context.Get(_file));
        ReportFormat format = context.Get(_format) is not { } text ? VaultReportFile.FormatOf(file) : text.ToUpperInvariant() switch
        {
            "HTML" => ReportFormat.Html,
            "CSV" => ReportFormat.Csv,
            "JSON" => ReportFormat.Json,
            _ => throw context.Invalid($"'{text}' is not a format.", "Use html, csv or json.", text),
        };
        VaultReportFile.Check(file, context.Has(_force));
        var request = new VaultReportRequest
        {
            Objective = context.GetDuration(_objective) ?? TimeSpan.FromDays(1),
            Days = Number(context, _days, 30),
            PricePerGib = Price(context),
            Currency = context.Get(_currency) ?? "",
            Credentials = await MonitoringCredential.ReadAllAsync(context.Get(_credentials), context.Stop).ConfigureAwait(false),
        };
        request.Check();
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        VaultReport report = await VaultReportReader.ReadAsync(vault, request, context.Stop).ConfigureAwait(false);
        VaultReportFile.Write(report, file, format, context.Has(_force));
        return new Outcome(
            new ReportSummary(file, format, report.Machines.Count, report.Machines.Count - report.Sound, report.Alarms.Count),
            $"'{file}' tells of {Quantity.Count(report.Machines.Count, "machine")} by policy, {Quantity.Count(report.Machines.Count - report.Sound)} to be seen to, and {Quantity.Count(report.Alarms.Count, "alarm")}.");
    }

    private decimal? Price(CommandContext context) => context.Get(_price) is not { } text ? null
        : decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal price) ? price
        : throw context.Invalid($"'{text}' is not a price.", "Write a number such as 0.02.", text);

    private static int Number(CommandContext context, Option<string?> option, int usual) => context.Get(option) is not { } text ? usual
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number
        : throw context.Invalid($"'{text}' is not a number for {option.Name}.", "Write a whole number.", text);
}
