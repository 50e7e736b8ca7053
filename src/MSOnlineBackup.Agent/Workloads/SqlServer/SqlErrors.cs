using System.Globalization;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>What sqlcmd says when it fails, as errors of ours.</summary>
internal static partial class SqlErrors
{
    /// <summary>The error of a run that ended with a failure.</summary>
    /// <param name="workload">The workload's name.</param>
    /// <param name="said">What it wrote.</param>
    public static BackupException Of(string workload, string said)
    {
        // The first message is the cause; behind it comes "BACKUP DATABASE is terminating abnormally" (3013).
        int code = Code().Match(said) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        string line = TellingLine(said);
        if (code is 18456 or 229 or 262 or 300 or 297 or 916 or 4060 or 15247 || LoginFailed().IsMatch(said))
        {
            return new BackupException(
                BackupErrorId.WorkloadAccessDenied,
                $"The server of the workload '{workload}' does not let this login do what a backup needs: {line}",
                "Give -User and a password by -OptionFile, of a login of the role sysadmin (docs/workloads.md).",
                workload);
        }

        return code switch
        {
            0 when NoServer().IsMatch(said) => new BackupException(
                BackupErrorId.WorkloadUnreachable, $"The server of the workload '{workload}' does not answer: {line}", "Start the server, or correct its port.", workload, transient: true),
            3201 or 3202 or 3203 or 3271 => new BackupException(
                BackupErrorId.WorkloadFileUnreadable,
                $"The server of the workload '{workload}' could not write its backup: {line}",
                "The account of the server (mssql) must be able to write to the backup folder, and the disk needs room for a backup of all databases.",
                workload),
            3043 or 824 or 825 or 823 or 3189 or 3242 => new BackupException(
                BackupErrorId.WorkloadUnfit,
                $"The workload '{workload}' cannot be backed up: its server found damage: {line}",
                "Run DBCC CHECKDB. Until the database is in order no full backup is made, and the earlier ones stay.",
                workload),
            4208 or 4214 => new BackupException(
                BackupErrorId.WorkloadCommandFailed,
                $"The log of a database of the workload '{workload}' cannot be backed up: {line}",
                "Its recovery model was changed, or it has no full backup yet. The next run is full.",
                workload,
                transient: true),
            _ => new BackupException(
                BackupErrorId.WorkloadCommandFailed, $"A command to the server of the workload '{workload}' failed: {line}", "Look into the server's error log. The next run tries again.", workload, transient: true),
        };
    }

    private static string TellingLine(string said)
    {
        string[] lines = [.. said.Split('\n').Select(each => each.Trim()).Where(each => each.Length > 0)];
        int at = Array.FindIndex(lines, each => Code().IsMatch(each));
        string line = at >= 0 && at + 1 < lines.Length ? lines[at] + ": " + lines[at + 1] : lines is [var first, ..] ? first : "it said nothing.";
        return line.EndsWith('.') ? line : line + ".";
    }

    // Msg 3201, Level 16, State 1, Server sql1, Line 1
    [GeneratedRegex(@"\bMsg (\d{1,6}), Level \d+", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex("Login failed for user|Cannot authenticate using Kerberos|SSPI Provider", RegexOptions.CultureInvariant)]
    private static partial Regex LoginFailed();

    [GeneratedRegex("TCP Provider|Login timeout expired|network-related", RegexOptions.CultureInvariant)]
    private static partial Regex NoServer();
}
