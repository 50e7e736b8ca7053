namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>The Transact-SQL that the server is given.</summary>
internal static class SqlQuestions
{
    /// <summary>Asks what the server is, and which databases it has; tempdb and snapshots of databases are none to back up.</summary>
    public static string Instance { get; } =
        "SET NOCOUNT ON; "
        + $"SELECT 'R|S|' + CONVERT(varchar(128), SERVERPROPERTY('ProductVersion')) + '|' + {SqlText.HexOf("SERVERPROPERTY('ServerName')")} + '|' + CONVERT(varchar(33), SYSUTCDATETIME(), 126) + '|' "
        + "+ CONVERT(varchar(11), DATEPART(TZOFFSET, SYSDATETIMEOFFSET())); "
        + $"SELECT 'R|D|' + {SqlText.HexOf("d.name")} + '|' + CONVERT(varchar(11), d.database_id) + '|' + CONVERT(varchar(11), d.state) + '|' + CONVERT(varchar(11), d.recovery_model) + '|' "
        + "+ ISNULL(CONVERT(varchar(36), r.recovery_fork_guid), '') + '|' + ISNULL(CONVERT(varchar(25), r.last_log_backup_lsn), '') "
        + "FROM sys.databases d LEFT JOIN sys.database_recovery_status r ON r.database_id = d.database_id WHERE d.name <> N'tempdb' AND d.source_database_id IS NULL ORDER BY d.database_id; "
        + "SELECT 'R|E';";

    /// <summary>Backs up a database whole.</summary>
    public static string BackUpDatabase(string database, string file) => Declare(database, file) + "BACKUP DATABASE @d TO DISK = @f WITH CHECKSUM, FORMAT, INIT;";

    /// <summary>Backs up its log since the last time.</summary>
    public static string BackUpLog(string database, string file) => Declare(database, file) + "BACKUP LOG @d TO DISK = @f WITH CHECKSUM, FORMAT, INIT;";

    /// <summary>Has the server read a backup to its end.</summary>
    public static string Verify(string file) => $"DECLARE @f nvarchar(4000) = {SqlText.Literal(file)}; RESTORE VERIFYONLY FROM DISK = @f WITH CHECKSUM;";

    /// <summary>Asks what a backup holds.</summary>
    public static string Backup(string database, string file)
    {
        const string From =
            "FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily m ON m.media_set_id = s.media_set_id";
        const string Which = "WHERE m.physical_device_name = @f AND s.database_name = @d";
        return "SET NOCOUNT ON; " + Declare(database, file)
            + $"SELECT 'R|B|' + CONVERT(varchar(25), s.first_lsn) + '|' + CONVERT(varchar(25), s.last_lsn) + '|' + CONVERT(varchar(36), s.last_recovery_fork_guid) {From} {Which}; "
            + $"SELECT 'R|F|' + {SqlText.HexOf("b.logical_name")} + '|' + b.file_type {From} JOIN msdb.dbo.backupfile b ON b.backup_set_id = s.backup_set_id {Which} ORDER BY b.file_number; "
            + "SELECT 'R|E';";
    }

    private static string Declare(string database, string file) => $"DECLARE @d nvarchar(128) = {SqlText.Literal(database)}; DECLARE @f nvarchar(4000) = {SqlText.Literal(file)}; ";
}
