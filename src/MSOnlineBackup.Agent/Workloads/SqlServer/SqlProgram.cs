using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>The server's own client, sqlcmd.</summary>
/// <param name="settings">Which server.</param>
/// <param name="folders">Where it is looked for; null for where its packages and the path have it.</param>
internal sealed class SqlProgram(WorkloadSettings settings, IReadOnlyList<string>? folders = null)
{
    private const string Name = "sqlcmd";
    private const string PasswordLine = "SQLCMDPASSWORD=";
    private static readonly string[] _usualFolders = ["/opt/mssql-tools18/bin", "/opt/mssql-tools/bin", "/usr/bin", "/usr/local/bin"];

    /// <summary>Has the server do something.</summary>
    /// <returns>What was printed.</returns>
    /// <exception cref="BackupException">WorkloadProgramUnusable, WorkloadFileUnreadable; what <see cref="SqlErrors"/> makes.</exception>
    public async Task<string> RunAsync(string statement, CancellationToken stop)
    {
        // Of this machine: the certificate that the server has made for itself is as good as any. No variables of sqlcmd's are replaced (-x), a failure is one (-b), messages go to the errors (-r1).
        var start = new ProcessStartInfo(Find(), ["-S", settings.Socket!, "-d", "master", "-C", "-b", "-x", "-r1", "-l", "30", "-h-1", "-W", "-w", "65535", .. Login(), "-Q", statement])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        foreach (string variable in start.Environment.Keys.Where(key => key.StartsWith("SQLCMD", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        if (settings.OptionFile is { } file)
        {
            start.Environment["SQLCMDPASSWORD"] = ReadPassword(file);
        }

        (int status, string output, string said) = await ProgramRun.ToEndAsync(start, settings.Name, stop).ConfigureAwait(false);
        return status == 0 ? output : throw SqlErrors.Of(settings.Name, said + "\n" + output);
    }

    private string[] Login() => settings.User is { } user ? ["-U", user] : ["-E"];

    private string ReadPassword(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault(line => line.StartsWith(PasswordLine, StringComparison.Ordinal))?[PasswordLine.Length..]
                ?? throw new BackupException(
                    BackupErrorId.WorkloadAccessDenied, $"The option file '{file}' of the workload '{settings.Name}' has no line {PasswordLine}.", "Write the password of the login behind it.", file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.WorkloadFileUnreadable, $"The option file '{file}' of the workload '{settings.Name}' could not be read: {e.Message}", "Run the backup as root, or as the account that the file belongs to.", file, innerException: e);
        }
    }

    private string Find() =>
        (folders ?? [.. _usualFolders, .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathFullyQualified)])
            .Select(folder => Path.Combine(folder, Name))
            .FirstOrDefault(File.Exists)
        ?? throw new BackupException(
            BackupErrorId.WorkloadProgramUnusable, $"The workload '{settings.Name}' needs the program '{Name}', which is not on this machine.", "Install Microsoft's package mssql-tools18.", Name);
}
