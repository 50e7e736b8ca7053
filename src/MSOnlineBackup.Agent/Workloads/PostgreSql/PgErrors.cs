using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>What PostgreSQL's programs say when they fail, as errors of ours. What they say may be in any language; its codes are not.</summary>
internal static partial class PgErrors
{
    private const string Grants =
        "Use a superuser, or a role that was made so: CREATE ROLE obengine LOGIN REPLICATION; GRANT pg_monitor TO obengine; "
        + "GRANT EXECUTE ON FUNCTION pg_backup_start, pg_backup_stop, pg_switch_wal TO obengine; (docs/workloads.md).";

    /// <summary>The error of a program that ended with a failure.</summary>
    /// <param name="workload">The workload's name.</param>
    /// <param name="program">The program.</param>
    /// <param name="said">What it wrote to its standard error.</param>
    /// <param name="isConnected">Whether it had got as far as the server.</param>
    public static BackupException Of(string workload, string program, string said, bool isConnected)
    {
        string? code = Code().Match(said) is { Success: true } match ? match.Groups[1].Value : null;
        string line = FirstLine(said);
        if (code == "53400")
        {
            return Unfit(workload, line, "Raise max_replication_slots or max_wal_senders in postgresql.conf, and restart the server.");
        }

        if (code is not null)
        {
            return IsRefusal(code)
                ? new BackupException(BackupErrorId.WorkloadAccessDenied, $"The role that backs up the workload '{workload}' may not do what that needs: {line}", Grants, workload)
                : new BackupException(
                    BackupErrorId.WorkloadCommandFailed, $"The server of the workload '{workload}' refused a command: {line}", "Look into the server's log; the code in the message is in PostgreSQL's list of error codes.", workload);
        }

        if (isConnected)
        {
            return new BackupException(
                BackupErrorId.WorkloadCommandFailed,
                $"'{program}' ended early, in the work for the workload '{workload}': {line}",
                "Look into the server's log: it may have been stopped. The next run goes on.",
                workload,
                transient: true);
        }

        // FATAL has no code where the connection was not made yet; what the server itself refuses begins with it, in any language in capitals.
        return Fatal().IsMatch(said) && !Passing().IsMatch(said)
            ? new BackupException(
                BackupErrorId.WorkloadAccessDenied,
                $"The server of the workload '{workload}' did not let '{program}' in: {line}",
                "Name the role with -User, and let it in without a password by a line 'local all ROLE peer' in pg_hba.conf ('local replication ROLE peer' for the log), or by a password file. " + Grants,
                workload)
            : new BackupException(
                BackupErrorId.WorkloadUnreachable,
                $"The server of the workload '{workload}' does not answer: {line}",
                "Start the server, or correct the folder of its socket and the port: SHOW unix_socket_directories and SHOW port tell them.",
                workload,
                transient: true);
    }

    /// <summary>A setting, a state or a version of the server that rules a backup out.</summary>
    public static BackupException Unfit(string workload, string why, string action) => new(
        BackupErrorId.WorkloadUnfit, $"The workload '{workload}' cannot be backed up: {why}", action, workload);

    /// <summary>Rights that the role lacks.</summary>
    public static BackupException Denied(string workload, string role, IReadOnlyList<string> missing) => new(
        BackupErrorId.WorkloadAccessDenied, $"The role '{role}', which backs up the workload '{workload}', lacks rights: {string.Join(", ", missing)}.", Grants, workload);

    // Privileges and logins that are refused; a feature that asks for a superuser has the first of them, too.
    private static bool IsRefusal(string code) => code is "42501" or "28000" or "28P01" or "0LP01";

    private static string FirstLine(string said)
    {
        string line = said.Split('\n').Select(each => each.Trim()).FirstOrDefault(each => each.Length > 0) ?? "it said nothing.";
        return line.EndsWith('.') || line.EndsWith('?') ? line : line + ".";
    }

    [GeneratedRegex(": +((?=[A-Z]*[0-9])[0-9A-Z]{5}): ", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    // psql: error: connection to server on socket "…" failed: FATAL:  role "x" does not exist
    [GeneratedRegex("failed: +[^:\\n]*: {2}", RegexOptions.CultureInvariant)]
    private static partial Regex Fatal();

    // What passes by itself. In other languages it is told as a login that was refused, with the server's own words.
    [GeneratedRegex("starting up|shutting down|too many|requested standby connections", RegexOptions.CultureInvariant)]
    private static partial Regex Passing();
}
