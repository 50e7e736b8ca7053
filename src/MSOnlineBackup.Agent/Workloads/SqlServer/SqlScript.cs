using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>The script that sqlcmd runs to recover: each database from its full backup, then its logs up to the wanted time, and then it is opened. It overwrites no database.</summary>
internal static class SqlScript
{
    /// <summary>Writes it. Pure.</summary>
    /// <param name="full">The full backup.</param>
    /// <param name="logs">The log, in order.</param>
    /// <param name="moment">The wanted time; null for as far as the log goes.</param>
    /// <returns>Text of ASCII alone; null where the log of a database has a gap.</returns>
    public static string? Write(SqlManifest full, IReadOnlyList<SqlManifest> logs, DateTimeOffset? moment)
    {
        // The log has the server's local time.
        int offset = logs is [.., var last] ? last.OffsetMinutes : full.OffsetMinutes;
        string stop = moment is { } time
            ? ", STOPAT = '" + time.UtcDateTime.AddMinutes(offset).ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture) + "'"
            : "";
        SqlPart[] databases = [.. full.Parts.Where(part => !part.IsOfSystem)];
        var text = new StringBuilder();
        text.Append(
            """
            -- Recovers databases of SQL Server from the backups in this folder. Run it by sqlcmd, on a server whose account may read the folder:
            --   sqlcmd -S localhost -C -i restore.sql -v BackupFolder=/srv/this-folder DataFolder=/var/opt/mssql/data
            -- No database is overwritten: it ends where one of these names is there. master, model and msdb are not recovered by it; their backups lie here as well.
            :on error exit
            SET NOCOUNT ON;
            SET XACT_ABORT ON;

            """.ReplaceLineEndings("\n"));
        foreach (SqlPart database in databases)
        {
            text.Append("IF DB_ID(").Append(SqlText.Literal(database.Database)).Append(") IS NOT NULL THROW 50000, N'A database of this name is there: nothing was recovered.', 1;\n");
        }

        text.Append("GO\n");
        for (int i = 0; i < databases.Length; i++)
        {
            if (LogsOf(databases[i], logs) is not { } needed)
            {
                return null;
            }

            Append(text, databases[i], i + 1, needed, stop);
        }

        return text.ToString();
    }

    // What ends before the full backup does is in that already, and the server refuses it.
    private static List<SqlPart>? LogsOf(SqlPart database, IReadOnlyList<SqlManifest> logs)
    {
        List<SqlPart> needed = [.. logs.SelectMany(log => log.Parts).Where(part => part.Database == database.Database && part.Last > database.Last)];
        decimal at = database.Last;
        for (int i = 0; i < needed.Count; i++)
        {
            if ((i == 0 ? needed[i].First > at : needed[i].First != at) || needed[i].Fork != database.Fork)
            {
                return null;
            }

            at = needed[i].Last;
        }

        // Each piece has a backup of each log.
        return database.HasLog && logs.Any(log => log.Parts.All(part => part.Database != database.Database)) ? null : needed;
    }

    private static void Append(StringBuilder text, SqlPart database, int number, IReadOnlyList<SqlPart> logs, string stop)
    {
        text.Append("\n-- ").Append(SqlText.Comment(database.Database)).Append('\n');
        text.Append("DECLARE @d nvarchar(128) = ").Append(SqlText.Literal(database.Database)).Append(";\nDECLARE @f nvarchar(4000) = N'$(BackupFolder)/").Append(database.File).Append("';\n");
        for (int i = 0; i < database.Files.Count; i++)
        {
            string ending = database.Files[i].Type switch { "D" => ".mdf", "L" => ".ldf", _ => "" };
            text.Append(CultureInfo.InvariantCulture, $"DECLARE @l{i} nvarchar(128) = {SqlText.Literal(database.Files[i].Name)}, @p{i} nvarchar(4000) = N'$(DataFolder)/{FilePrefix(database)}-{number}-{i + 1}{ending}';\n");
        }

        text.Append("RESTORE DATABASE @d FROM DISK = @f WITH CHECKSUM, NORECOVERY");
        for (int i = 0; i < database.Files.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $", MOVE @l{i} TO @p{i}");
        }

        text.Append(";\n");
        foreach (SqlPart log in logs)
        {
            text.Append("SET @f = N'$(BackupFolder)/").Append(log.File).Append("';\nRESTORE LOG @d FROM DISK = @f WITH CHECKSUM, NORECOVERY").Append(stop).Append(";\n");
        }

        text.Append("RESTORE DATABASE @d WITH RECOVERY;\nGO\n");
    }

    // Of no other recovery into the same folder: the name of the backup is drawn by lot.
    private static string FilePrefix(SqlPart database) => database.File[..database.File.IndexOf('.', StringComparison.Ordinal)];
}
