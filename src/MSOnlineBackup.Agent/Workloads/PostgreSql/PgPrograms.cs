using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>
/// PostgreSQL's own programs on this machine. Where this process is root they run as the account that the server's socket belongs to: the server knows that account, and root
/// runs nothing of others.
/// </summary>
/// <param name="settings">The workload.</param>
/// <param name="folders">Where they are looked for; null for where systems and the path have them.</param>
internal sealed partial class PgPrograms(WorkloadSettings settings, IReadOnlyList<string>? folders = null)
{
    // What would have another server, database or role than the workload says.
    private static readonly string[] _strays =
        ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS", "PGAPPNAME", "PGTARGETSESSIONATTRS", "PGCLUSTER"];

    private static readonly string[] _versionFolders = ["/usr/lib/postgresql", "/usr/local/pgsql"];

    /// <summary>The socket's path.</summary>
    public string Socket => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{Port}"));

    /// <summary>Where a program is.</summary>
    /// <param name="name">The program.</param>
    /// <param name="atLeast">The least major version that it must have; 0 for any.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">WorkloadProgramUnusable.</exception>
    public async Task<string> FindAsync(string name, int atLeast, CancellationToken stop)
    {
        int found = 0;
        foreach (string path in Candidates(name))
        {
            int major = await AskVersionAsync(path, stop).ConfigureAwait(false);
            if (major >= Math.Max(atLeast, 1))
            {
                return path;
            }

            found = Math.Max(found, major);
        }

        throw new BackupException(
            BackupErrorId.WorkloadProgramUnusable,
            found == 0
                ? $"The workload '{settings.Name}' needs the program '{name}', which is not on this machine."
                : $"The server of the workload '{settings.Name}' has version {atLeast}, and '{name}' on this machine only {found}: the log of a newer server cannot be read by it.",
            atLeast == 0 ? "Install PostgreSQL's client programs." : $"Install PostgreSQL's client programs of version {atLeast} or later (on Debian and Ubuntu postgresql-client-{atLeast}).",
            name);
    }

    /// <summary>How a program is run that speaks to the server.</summary>
    /// <param name="path">The program.</param>
    /// <param name="arguments">Its arguments, but for where the server is.</param>
    /// <param name="folder">A folder that it is to write to, as <see cref="FolderArgument"/> among its arguments; null for none.</param>
    public ProcessStartInfo Start(string path, IEnumerable<string> arguments, string? folder = null)
    {
        List<string> command = [path, "--no-password", "--host", Folder, "--port", Port.ToString(CultureInfo.InvariantCulture)];
        if (settings.User is { } user)
        {
            command.AddRange(["--username", user]);
        }

        command.AddRange(arguments);
        command.InsertRange(0, AsOwner());
        if (folder is not null)
        {
            // The account may not be let through the folders above; what is open it may use.
            command.InsertRange(0, ["/bin/sh", "-c", "exec 9<. && cd / && exec \"$@\"", "obengine"]);
        }

        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "/",
        };
        foreach (string stray in _strays)
        {
            start.Environment.Remove(stray);
        }

        start.Environment["PGCLIENTENCODING"] = "UTF8";
        start.Environment["PGAPPNAME"] = "obengine";
        return start;
    }

    private string Folder => settings.Socket ?? throw new InvalidOperationException("The settings were not checked.");

    private int Port => settings.Port ?? PgKind.OwnPort;

    /// <summary>What stands among the arguments for the folder that a program may write to.</summary>
    public static string FolderArgument => "/proc/self/fd/9";

    /// <summary>Lets the account that the programs run as write to a folder.</summary>
    public void Open(string folder)
    {
        if (Environment.IsPrivilegedProcess && FileOwner.Of(Socket) is { } owner)
        {
            owner.TakeFolder(folder);
        }
    }

    // Nothing of the caller's groups, and nothing that needs the account to have an entry anywhere.
    private string[] AsOwner()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return [];
        }

        if (FileOwner.Of(Socket) is not { } socket)
        {
            throw new BackupException(
                BackupErrorId.WorkloadUnreachable,
                $"The server of the workload '{settings.Name}' does not answer: there is no socket '{Socket}'.",
                "Start the server, or correct the folder of its socket and the port: SHOW unix_socket_directories and SHOW port tell them.",
                settings.Name,
                transient: true);
        }

        return
        [
            "setpriv", "--reuid", socket.User.ToString(CultureInfo.InvariantCulture), "--regid", socket.Group.ToString(CultureInfo.InvariantCulture), "--clear-groups", "--",
        ];
    }

    // Versions beside each other before what the path has, which with some systems is a wrapper; the newest first.
    private IEnumerable<string> Candidates(string name) => (folders ?? UsualFolders()).Where(Path.IsPathFullyQualified).Select(folder => Path.Combine(folder, name)).Where(File.Exists);

    private static IEnumerable<string> UsualFolders()
    {
        IEnumerable<string> versions = _versionFolders
            .Where(Directory.Exists)
            .SelectMany(Directory.GetDirectories)
            .Concat(Directory.Exists("/usr") ? Directory.GetDirectories("/usr", "pgsql-*") : [])
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder).Replace("pgsql-", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out int major) ? major : 0)
            .Select(folder => Path.Combine(folder, "bin"));
        return versions.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'));
    }

    private async Task<int> AskVersionAsync(string path, CancellationToken stop)
    {
        var start = new ProcessStartInfo(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        (int code, string output, _) = await ProgramRun.ToEndAsync(start, settings.Name, stop).ConfigureAwait(false);
        return code == 0 ? MajorOf(output) : 0;
    }

    /// <summary>The major version that a program tells: "pg_receivewal (PostgreSQL) 15.18 (Debian …)"; 0 where it tells none.</summary>
    internal static int MajorOf(string output) =>
        Version().Match(output) is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int major) ? major : 0;

    [GeneratedRegex(@"\(PostgreSQL\) (\d{1,4})", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}
