using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>What MariaDB's programs say when they fail, as errors of ours.</summary>
internal static partial class MariaErrors
{
    private const string Grants =
        "Back up as root, whom MariaDB lets in by unix_socket, or with -User and a password from -OptionFile as an account that was made so: CREATE USER obengine@localhost IDENTIFIED BY '...'; "
        + "GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, SHOW DATABASES ON *.* TO obengine@localhost; (docs/workloads.md).";

    /// <summary>The error of a client that ended with a failure.</summary>
    /// <param name="workload">The workload's name.</param>
    /// <param name="said">What it wrote to its standard error.</param>
    /// <param name="isConnected">Whether it had got as far as the server.</param>
    public static BackupException OfClient(string workload, string said, bool isConnected)
    {
        string line = FirstLine(said);
        int code = Code().Match(said) is { Success: true } match ? int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;

        // Privileges and logins that are refused.
        if (code is 1044 or 1045 or 1049 or 1130 or 1142 or 1143 or 1227 or 1698 or 1370)
        {
            return new BackupException(BackupErrorId.WorkloadAccessDenied, $"The server of the workload '{workload}' does not let this account do what a backup needs: {line}", Grants, workload);
        }

        // From 2000 on they are the client's own: there is no server, or no longer.
        return code is >= 2000 and < 3000 && !isConnected
            ? new BackupException(
                BackupErrorId.WorkloadUnreachable, $"The server of the workload '{workload}' does not answer: {line}", "Start the server, or correct the path of its socket: SELECT @@socket tells it.", workload, transient: true)
            : new BackupException(
                BackupErrorId.WorkloadCommandFailed, $"A command to the server of the workload '{workload}' failed: {line}", "Look into the server's error log. The next run goes on.", workload, transient: isConnected);
    }

    /// <summary>The error of a full backup that its program did not bring to an end.</summary>
    public static BackupException OfBackup(string workload, IReadOnlyList<string> said)
    {
        string line = said.LastOrDefault(each => Trouble().IsMatch(each)) ?? (said is [.., var last] ? last : "it said nothing");
        line = Stamp().Replace(line, "").Trim();
        return Unreadable().IsMatch(line)
            ? new BackupException(
                BackupErrorId.WorkloadFileUnreadable,
                $"A file of the server could not be read, and a backup of the workload '{workload}' without it could not be recovered: {line}",
                "Run the backup as root, or as the account that the server runs as.",
                workload)
            : new BackupException(
                BackupErrorId.WorkloadCommandFailed,
                $"'mariadb-backup' did not bring a full backup of the workload '{workload}' to its end: {line}",
                "Look into the server's error log. If it speaks of files, raise the limit of open files; if of the log being overwritten, raise innodb_log_file_size. The next run tries again.",
                workload,
                transient: true);
    }

    /// <summary>A setting, a state or a version of the server that rules a backup out.</summary>
    public static BackupException Unfit(string workload, string why, string action) => new(
        BackupErrorId.WorkloadUnfit, $"The workload '{workload}' cannot be backed up: {why}", action, workload);

    /// <summary>Rights that the account lacks.</summary>
    public static BackupException Denied(string workload, string account, IReadOnlyList<string> missing) => new(
        BackupErrorId.WorkloadAccessDenied, $"The account {account}, which backs up the workload '{workload}', lacks rights: {string.Join(", ", missing)}.", Grants, workload);

    /// <summary>The first line that says something.</summary>
    internal static string FirstLine(string said)
    {
        string line = said.Split('\n').Select(each => each.Trim()).FirstOrDefault(each => each.Length > 0) ?? "it said nothing.";
        return line.EndsWith('.') || line.EndsWith('?') ? line : line + ".";
    }

    // ERROR 1698 (28000): Access denied for user 'zzz'@'localhost'
    [GeneratedRegex(@"\bERROR (\d{4,5}) ", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex("error|fatal|fail|denied|can't|cannot", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Trouble();

    [GeneratedRegex(@"Permission denied|error number 13\b|[Ee]rrcode: 13\b", RegexOptions.CultureInvariant)]
    private static partial Regex Unreadable();

    [GeneratedRegex(@"^(\[\d+\] )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", RegexOptions.CultureInvariant)]
    private static partial Regex Stamp();
}
