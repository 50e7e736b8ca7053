using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>A database, as the server tells of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its number; up to 4 it is one of the system's.</param>
/// <param name="State">0 online, 1 restoring, 2 recovering, 3 recovery pending, 4 suspect, 5 emergency, 6 offline, 10 offline at another site.</param>
/// <param name="Model">The recovery model: 1 full, 2 bulk-logged, 3 simple.</param>
/// <param name="Fork">Which history of it; empty where the server does not tell.</param>
/// <param name="Next">LSN at which the next backup of the log begins; null where none is possible.</param>
internal sealed record SqlDatabase(string Name, int Id, int State, int Model, string Fork, decimal? Next)
{
    private const int LastOfSystem = 4;
    private const int Simple = 3;

    /// <summary>Whether it is master, tempdb, model or msdb.</summary>
    public bool IsOfSystem => Id <= LastOfSystem;

    /// <summary>Whether its log is backed up.</summary>
    public bool HasLog => Model != Simple && !IsOfSystem;
}

/// <summary>The server, as it tells of itself.</summary>
/// <param name="Version">"16.0.4105.2".</param>
/// <param name="Name">Its name.</param>
/// <param name="Now">Its time.</param>
/// <param name="OffsetMinutes">Minutes by which its local time is ahead of UTC.</param>
/// <param name="Databases">Its databases, without tempdb and without snapshots.</param>
internal sealed record SqlInstance(string Version, string Name, DateTimeOffset Now, int OffsetMinutes, IReadOnlyList<SqlDatabase> Databases);

/// <summary>A file of a database in a backup.</summary>
/// <param name="Name">Its logical name.</param>
/// <param name="Type">D data, L log, S a folder (FILESTREAM, memory-optimised), F full text.</param>
internal sealed record SqlFile(string Name, string Type);

/// <summary>A backup, as msdb has it.</summary>
/// <param name="First">LSN at which it begins.</param>
/// <param name="Last">LSN behind its last record.</param>
/// <param name="Fork">Which history of the database.</param>
/// <param name="Files">The database's files.</param>
internal sealed record SqlBackupSet(decimal First, decimal Last, string Fork, IReadOnlyList<SqlFile> Files);

/// <summary>What sqlcmd prints as answers to the questions of <see cref="SqlQuestions"/>: lines that begin with <c>R|</c>, of ASCII alone, the last of them <c>R|E</c>.</summary>
internal static class SqlAnswer
{
    private const string Mark = "R|";

    /// <summary>Reads what is answered about the server. False where it is not that, or not whole.</summary>
    public static bool TryReadInstance(string output, [NotNullWhen(true)] out SqlInstance? instance)
    {
        instance = null;
        if (Rows(output) is not [["S", var version, var name, var now, var offset], .. var rest] || SqlText.FromHex(name) is not { } server || !int.TryParse(offset, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int minutes)
            || Math.Abs(minutes) > 14 * 60
            || !DateTime.TryParse(now, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime time))
        {
            return false;
        }

        SqlDatabase?[] databases = [.. rest.Select(Database)];
        instance = databases.Contains(null) ? null : new SqlInstance(version, server, new DateTimeOffset(time, TimeSpan.Zero), minutes, databases!);
        return instance is not null;
    }

    /// <summary>Reads what is answered about a backup. False where it is not that, or not whole.</summary>
    public static bool TryReadBackup(string output, [NotNullWhen(true)] out SqlBackupSet? backup)
    {
        backup = null;
        if (Rows(output) is not [["B", var first, var last, var fork], .. var rest] || Lsn(first) is not { } begin || Lsn(last) is not { } end || begin > end || !Guid.TryParse(fork, out Guid history))
        {
            return false;
        }

        SqlFile?[] files = [.. rest.Select(row => row is ["F", var name, { Length: 1 } type] && SqlText.FromHex(name) is { Length: > 0 } logical ? new SqlFile(logical, type) : null)];
        backup = files.Contains(null) ? null : new SqlBackupSet(begin, end, history.ToString(), files!);
        return backup is not null;
    }

    private static SqlDatabase? Database(string[] row) =>
        row is ["D", var name, var id, var state, var model, var fork, var next]
        && SqlText.FromHex(name) is { Length: > 0 } text
        && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && int.TryParse(state, NumberStyles.None, CultureInfo.InvariantCulture, out int status)
        && int.TryParse(model, NumberStyles.None, CultureInfo.InvariantCulture, out int recovery) && recovery is >= 1 and <= 3
        && (next.Length == 0 || Lsn(next) is not null)
        && (fork.Length == 0 || Guid.TryParse(fork, out _))
            ? new SqlDatabase(text, number, status, recovery, fork.ToLowerInvariant(), Lsn(next))
            : null;

    // numeric(25, 0)
    private static decimal? Lsn(string text) => text.Length <= 25 && decimal.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out decimal value) ? value : null;

    // Null where the end is missing: what was cut off is no answer.
    private static List<string[]>? Rows(string output)
    {
        List<string[]> rows = [.. output.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith(Mark, StringComparison.Ordinal)).Select(line => line[Mark.Length..].Split('|'))];
        return rows is [.. var all, ["E"]] ? all : null;
    }
}
