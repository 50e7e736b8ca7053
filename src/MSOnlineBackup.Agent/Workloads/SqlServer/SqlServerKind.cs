using System.Text.RegularExpressions;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>SQL Server: the server itself writes backups of its databases and their logs, and recovers them by a script.</summary>
internal sealed partial class SqlServerKind : IWorkloadKind
{
    private const int MaxUserLength = 128;

    // The server's table of backups has 260 characters for a file's path.
    private const int MaxFolderLength = 150;

    /// <inheritdoc/>
    public WorkloadKind Kind => WorkloadKind.SqlServer;

    /// <inheritdoc/>
    public bool HasLog => true;

    /// <inheritdoc/>
    public int? UsualPort => null;

    /// <inheritdoc/>
    public void Check(WorkloadSettings settings)
    {
        if (!Server().IsMatch(settings.Socket ?? ""))
        {
            throw settings.Invalid(
                $"'{settings.Socket}' is no server of this machine, in the workload '{settings.Name}': it writes its backups to a folder here.", "Use localhost, or with a port localhost,1433.");
        }

        string folder = settings.Path ?? "";
        settings.RequirePath("backup folder", folder, "Name a folder that the server's account may write to, for example /var/opt/mssql/backup.");
        if (folder.Length > MaxFolderLength || folder == "/")
        {
            throw settings.Invalid($"The backup folder '{folder}' of the workload '{settings.Name}' cannot be used.", $"Name a folder whose path has no more than {MaxFolderLength} characters.");
        }

        settings.RequireUser(MaxUserLength);
        settings.RequireNone(settings.Port, "a port");
        if (settings.OptionFile is { } file)
        {
            settings.RequirePath("option file", file, "Name a file with a line SQLCMDPASSWORD=, for example /etc/obengine-sql.");
        }

        if ((settings.User is null) != (settings.OptionFile is null))
        {
            throw settings.Invalid($"The workload '{settings.Name}' names a login without a password, or a password without a login.", "Give -User and -OptionFile, or neither: then the account logs in by Kerberos.");
        }
    }

    /// <inheritdoc/>
    public IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock) => new SqlServerWorkload(settings, new SqlProgram(settings));

    /// <inheritdoc/>
    public IWorkloadRecovery Recovery(TimeProvider clock) => new SqlServerRecovery();

    [GeneratedRegex(@"\A(tcp:)?(localhost|127\.0\.0\.1)(,\d{1,5})?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Server();
}
