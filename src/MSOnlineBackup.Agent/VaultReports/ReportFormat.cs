namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>As what a report is written.</summary>
public enum ReportFormat
{
    /// <summary>A page that needs nothing else.</summary>
    Html,

    /// <summary>A row for each machine and policy.</summary>
    Csv,

    /// <summary>All of it, for programs.</summary>
    Json,
}
