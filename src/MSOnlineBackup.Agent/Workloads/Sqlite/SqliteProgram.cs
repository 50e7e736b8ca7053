using System.Diagnostics;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.Sqlite;

/// <summary>SQLite's own program, sqlite3: it knows the locks, and the log beside the database, as any that writes to it.</summary>
/// <param name="workload">The workload's name.</param>
internal sealed partial class SqliteProgram(string workload)
{
    private const string Name = "sqlite3";
    private static readonly string[] _usualFolders = ["/usr/bin", "/usr/local/bin"];

    /// <summary>Its version: "3.40.1".</summary>
    /// <exception cref="BackupException">WorkloadProgramUnusable.</exception>
    public async Task<string> AskVersionAsync(CancellationToken stop)
    {
        (int status, string output, string said) = await RunAsync(["-version"], "", stop).ConfigureAwait(false);
        return status == 0 && Version().Match(output) is { Success: true } match
            ? match.Value
            : throw new BackupException(
                BackupErrorId.WorkloadProgramUnusable, $"'{Name}' does not tell its version, for the workload '{workload}': {FirstLine(said)}", $"Install SQLite's program anew (package {Name}).", Name);
    }

    /// <summary>Copies a database as it is at one moment, while others write to it.</summary>
    /// <param name="database">The database.</param>
    /// <param name="copy">The file to make.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">WorkloadUnfit, WorkloadFileUnreadable, WorkloadCommandFailed.</exception>
    public async Task CopyAsync(string database, string copy, CancellationToken stop)
    {
        // Within a read transaction the copy is of one state, and never begins again, however much is written meanwhile.
        string script = $".timeout 60000\nBEGIN;\nSELECT count(*) FROM sqlite_master;\n.backup main {Quote(copy)}\nCOMMIT;\n";
        (int status, _, string said) = await RunAsync(["-batch", "-bail", "-init", "/dev/null", database], script, stop).ConfigureAwait(false);
        if (status != 0 || said.Length > 0 || !File.Exists(copy))
        {
            throw ErrorOf(database, said);
        }
    }

    /// <summary>What is wrong with a database; null where all of it is in order.</summary>
    public async Task<string?> FindDamageAsync(string database, CancellationToken stop)
    {
        (int status, string output, string said) = await RunAsync(["-batch", "-bail", "-init", "/dev/null", database], "PRAGMA integrity_check;\n", stop).ConfigureAwait(false);
        return status == 0 && output.Trim() == "ok" ? null : FirstLine(output + said);
    }

    /// <summary>A path as an argument of a command of the program.</summary>
    internal static string Quote(string path) => "\"" + path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    /// <summary>What the program says, as an error of ours.</summary>
    internal BackupException ErrorOf(string database, string said)
    {
        string line = FirstLine(said);
        return Foreign().IsMatch(line)
            ? new BackupException(BackupErrorId.WorkloadUnfit, $"'{database}' of the workload '{workload}' is no database of SQLite's, or an encrypted one: {line}", "Name the database's file; others are backed up as files.", database)
            : Unreadable().IsMatch(line)
            ? new BackupException(BackupErrorId.WorkloadFileUnreadable, $"'{database}' of the workload '{workload}' could not be read: {line}", "Run the backup as root, or as the account that the database belongs to.", database)
            : new BackupException(
                BackupErrorId.WorkloadCommandFailed, $"'{Name}' could not copy the database of the workload '{workload}': {line}", "The message is SQLite's. Where it is locked, something writes to it for minutes on end; the next run tries again.", database, transient: true);
    }

    private async Task<(int Status, string Output, string Said)> RunAsync(IEnumerable<string> arguments, string input, CancellationToken stop)
    {
        string program = _usualFolders.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathFullyQualified))
            .Select(folder => Path.Combine(folder, Name))
            .FirstOrDefault(File.Exists) ?? throw new BackupException(
                BackupErrorId.WorkloadProgramUnusable, $"The workload '{workload}' needs the program '{Name}', which is not on this machine.", $"Install SQLite's program (on most systems the package {Name} or sqlite).", Name);
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        return await ProgramRun.ToEndAsync(start, workload, stop, input).ConfigureAwait(false);
    }

    private static string FirstLine(string said) => said.Split('\n').Select(each => each.Trim()).FirstOrDefault(each => each.Length > 0) ?? "it said nothing.";

    [GeneratedRegex(@"^\d+\.\d+\.\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Version();

    [GeneratedRegex("file is not a database", RegexOptions.CultureInvariant)]
    private static partial Regex Foreign();

    [GeneratedRegex("unable to open database|readonly database|permission|authorization denied", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Unreadable();
}
