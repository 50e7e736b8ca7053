using System.Diagnostics;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>MariaDB's own programs on this machine.</summary>
/// <param name="workload">The workload's name.</param>
/// <param name="folders">Where they are looked for; null for where systems and the path have them.</param>
internal sealed partial class MariaPrograms(string workload, IReadOnlyList<string>? folders = null)
{
    private static readonly string[] _usualFolders = ["/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/usr/local/mysql/scripts"];

    /// <summary>The client.</summary>
    public static MariaProgram Client { get; } = new("mariadb", "mysql", "mariadb-client");

    /// <summary>What makes and prepares full backups.</summary>
    public static MariaProgram Backup { get; } = new("mariadb-backup", "mariabackup", "mariadb-backup");

    /// <summary>What unpacks full backups.</summary>
    public static MariaProgram Unpack { get; } = new("mbstream", "mbstream", "mariadb-backup");

    /// <summary>The server.</summary>
    public static MariaProgram Server { get; } = new("mariadbd", "mysqld", "mariadb-server");

    /// <summary>What reads binary logs.</summary>
    public static MariaProgram Log { get; } = new("mariadb-binlog", "mysqlbinlog", "mariadb-server");

    /// <summary>Where a program is.</summary>
    /// <exception cref="BackupException">WorkloadProgramUnusable.</exception>
    public string Find(MariaProgram program) => Candidates(program).FirstOrDefault() ?? throw Missing(program, "");

    /// <summary>Where a program is that is of a server's own series. Another one's does not understand its files, or makes others of them.</summary>
    /// <param name="program">The program; it tells its version.</param>
    /// <param name="series">The series: "10.11".</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">WorkloadProgramUnusable.</exception>
    public async Task<string> FindAsync(MariaProgram program, string series, CancellationToken stop)
    {
        string? other = null;
        foreach (string path in Candidates(program))
        {
            var start = new ProcessStartInfo(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
            (_, string output, string said) = await ProgramRun.ToEndAsync(start, workload, stop).ConfigureAwait(false);
            string? found = SeriesOf(output + said);
            if (found == series)
            {
                return path;
            }

            other ??= found;
        }

        throw other is null
            ? Missing(program, " of the series " + series)
            : new BackupException(
                BackupErrorId.WorkloadProgramUnusable,
                $"The server of the workload '{workload}' is of the series {series}, and '{program.Name}' on this machine of {other}: the files of one are not those of the other.",
                $"Install {program.Package} of the series {series}.",
                program.Name);
    }

    /// <summary>The series in what a program or server tells of its version, "10.11" of "10.11.19-MariaDB"; null where it is none of MariaDB's.</summary>
    internal static string? SeriesOf(string text) => Version().Match(text) is { Success: true } match ? match.Groups[1].Value : null;

    private BackupException Missing(MariaProgram program, string what) => new(
        BackupErrorId.WorkloadProgramUnusable,
        $"The workload '{workload}' needs the program '{program.Name}'{what}, which is not on this machine.",
        $"Install MariaDB's package {program.Package}.",
        program.Name);

    private IEnumerable<string> Candidates(MariaProgram program) =>
        from name in new[] { program.Name, program.OldName }
        from folder in folders ?? [.. _usualFolders, .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathFullyQualified)]
        let path = Path.Combine(folder, name)
        where File.Exists(path)
        select path;

    [GeneratedRegex(@"\b(\d{1,3}\.\d{1,3})\.\d{1,3}-MariaDB", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}

/// <summary>One of MariaDB's programs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="OldName">The name that it had before.</param>
/// <param name="Package">The package that has it on most systems.</param>
internal sealed record MariaProgram(string Name, string OldName, string Package);
