using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes how a vault stands into one file: a page that needs nothing else, CSV, or JSON.</summary>
[Cmdlet(VerbsData.Export, "OBReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBReportCommand : OBEngineCmdlet
{
    /// <summary>The file; its extension says the format.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The vault, or its folder or URL; without it the vault that this machine is registered with.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [VaultLocationTransformation]
    public string? Vault { get; set; }

    /// <summary>What opens it; not needed for the vault that this machine is registered with.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>Files by which statuses of other chunk stores are read, from Export-OBMonitoringCredential.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] MonitoringCredential { get; set; } = [];

    /// <summary>As what it is written, whatever the file's extension.</summary>
    [Parameter]
    public OBReportFormat? Format { get; set; }

    /// <summary>How old the newest recovery point of a machine may be at any time.</summary>
    [Parameter]
    public TimeSpan RecoveryPointObjective { get; set; } = TimeSpan.FromDays(1);

    /// <summary>For how many days the objective and the growth are shown.</summary>
    [Parameter]
    public int Days { get; set; } = 30;

    /// <summary>What a GiB costs in a month; without it no cost is shown.</summary>
    [Parameter]
    public decimal? PricePerGib { get; set; }

    /// <summary>Of the price.</summary>
    [Parameter]
    public string Currency { get; set; } = "";

    /// <summary>Replaces a file that exists.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string file = FullPath(Path);
        ReportFormat format = Format is { } asked ? Enum.Parse<ReportFormat>(asked.ToString()) : VaultReportFile.FormatOf(file);
        VaultReportFile.Check(file, Force);
        var request = new VaultReportRequest { Objective = RecoveryPointObjective, Days = Days, PricePerGib = PricePerGib, Currency = Currency };
        request.Check();
        string location = Vault is { } named ? VaultPlace(named) : Agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
            BackupErrorId.MachineNotRegistered,
            $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
            "Name a vault's folder or URL with -Vault, or register first with Start-OBRegistration.",
            Agent.Machine.Name);
        string[] credentials = [.. MonitoringCredential.Select(FullPath)];
        if (!ShouldProcess(file, "Write a report"))
        {
            return;
        }

        VaultReport report = Run(async (_, stop) =>
        {
            IReadOnlyList<MonitoringCredential> opened = await Vaults.Statuses.MonitoringCredential.ReadAllAsync(credentials, stop).ConfigureAwait(false);
            using UnlockedVault vault = await OpenVaultAsync(location, EncryptionPassphrase, stop).ConfigureAwait(false);
            return await VaultReportReader.ReadAsync(
                vault,
                request with { Credentials = opened },
                stop).ConfigureAwait(false);
        });
        VaultReportFile.Write(report, file, format, Force);
        WriteObject(new FileInfo(file));
    }
}
