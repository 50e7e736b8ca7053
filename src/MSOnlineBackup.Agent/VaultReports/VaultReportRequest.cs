using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>What a report is to say.</summary>
public sealed record VaultReportRequest
{
    /// <summary>How old the newest recovery point of a machine may be at any time.</summary>
    public TimeSpan Objective { get; init; } = TimeSpan.FromDays(1);

    /// <summary>For how many days the objective and the growth are shown: 1 to 366.</summary>
    public int Days { get; init; } = 30;

    /// <summary>What a GiB costs in a month; null for no cost.</summary>
    public decimal? PricePerGib { get; init; }

    /// <summary>Of the price.</summary>
    public string Currency { get; init; } = "";

    /// <summary>What opens statuses of other chunk stores than the one that is opened.</summary>
    public IReadOnlyList<MonitoringCredential> Credentials { get; init; } = [];

    /// <summary>Refuses what cannot be.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public void Check()
    {
        Require(Objective > TimeSpan.Zero && Objective <= TimeSpan.FromDays(366), "An objective of no time, or of more than a year, cannot be.", "Name a time such as a day.");
        Require(Days is >= 1 and <= 366, $"A report on {Days} days cannot be.", "Name 1 to 366 days.");
        Require(PricePerGib is null or (>= 0 and <= 1_000_000), "Such a price cannot be.", "Name what a GiB costs in a month: 0 to 1,000,000.");
        Require(Currency.Length <= 10, $"'{Currency}' is too long for a currency.", "Name its code, such as EUR.");
    }

    private static void Require(bool holds, string message, string action)
    {
        if (!holds)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, message, action);
        }
    }
}
