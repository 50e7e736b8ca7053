using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says how much room backups take, and when a pool is full: by what is assumed, or by what a vault has measured.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "OBCapacity")]
[OutputType(typeof(OBCapacity))]
public sealed class MeasureOBCapacityCommand : OBEngineCmdlet
{
    /// <summary>Bytes of the files that are protected; without it what the vault's newest points hold.</summary>
    [Parameter(Position = 0)]
    public long? ProtectedBytes { get; set; }

    /// <summary>The share of them that changes in a day, as <c>10%</c> or 0.1; without it what the vault's points brought.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? DailyChange { get; set; }

    /// <summary>For how many days each day's point is kept.</summary>
    [Parameter(Position = 2)]
    public long RetentionDays { get; set; } = 30;

    /// <summary>For how many weeks one of each week is kept.</summary>
    [Parameter]
    public long RetentionWeeks { get; set; }

    /// <summary>For how many months one of each month is kept.</summary>
    [Parameter]
    public long RetentionMonths { get; set; }

    /// <summary>For how many years one of each year is kept.</summary>
    [Parameter]
    public long RetentionYears { get; set; }

    /// <summary>Bytes read for one that is stored: 2 where deduplication and compression halve them.</summary>
    [Parameter]
    public double? ReductionRatio { get; set; }

    /// <summary>By what share the protected bytes grow in a year, as <c>20%</c> or 0.2.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? GrowthPerYear { get; set; }

    /// <summary>After how many years the room must still do.</summary>
    [Parameter]
    public int Years { get; set; }

    /// <summary>Bytes of the pool, to learn when it is full; without it, with a vault in a folder, what that takes and what its disk has free.</summary>
    [Parameter]
    public long? PoolBytes { get; set; }

    /// <summary>A vault whose recovery points say what is not given: from Get-OBVault, or its folder or URL.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [VaultLocationTransformation]
    public string? Vault { get; set; }

    /// <summary>What opens it; not needed for the vault that this machine is registered with.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        var request = new CapacityRequest
        {
            ProtectedBytes = ProtectedBytes,
            DailyChange = Share(DailyChange, nameof(DailyChange)),
            RetentionDays = RetentionDays,
            RetentionWeeks = RetentionWeeks,
            RetentionMonths = RetentionMonths,
            RetentionYears = RetentionYears,
            ReductionRatio = ReductionRatio,
            GrowthPerYear = Share(GrowthPerYear, nameof(GrowthPerYear)) ?? 0,
            Years = Years,
            PoolBytes = PoolBytes,
        };
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        CapacityMeasurement? measured = Vault is null ? null : Take(VaultPlace(Vault), now);
        WriteObject(CapacityPlanner.Plan(request, measured).ToOutput(measured, now));
    }

    private CapacityMeasurement Take(string location, DateTimeOffset now) => Run(async (_, stop) =>
    {
        using UnlockedVault vault = await OpenVaultAsync(location, EncryptionPassphrase, stop).ConfigureAwait(false);
        return await CapacityMeasurement.TakeAsync(vault, now, stop).ConfigureAwait(false);
    });

    private static double? Share(string? text, string parameter) => text is null ? null
        : CapacityShare.TryParse(text, out double share) ? share
        : throw new BackupException(BackupErrorId.ArgumentInvalid, $"'{text}' is not a share for -{parameter}.", "Write a percentage or a fraction: 10% or 0.1.", text);
}
