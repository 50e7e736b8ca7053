namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>MariaDB: its log are its binary logs, which a server of the recovery's own replays.</summary>
internal sealed class MariaKind : IWorkloadKind
{
    private const int MaxUserLength = 128;

    /// <inheritdoc/>
    public WorkloadKind Kind => WorkloadKind.MariaDb;

    /// <inheritdoc/>
    public bool HasLog => true;

    /// <inheritdoc/>
    public int? UsualPort => null;

    /// <inheritdoc/>
    public void Check(WorkloadSettings settings)
    {
        settings.RequirePath("socket", settings.Socket ?? "", "Name the server's socket itself, for example /run/mysqld/mysqld.sock.");
        settings.RequireUser(MaxUserLength);
        settings.RequireNone(settings.Port, "a port");
        settings.RequireNone(settings.Path, "a database");
        if (settings.OptionFile is { } file)
        {
            settings.RequirePath("option file", file, "Name a file with a group [client], for example /etc/mysql/obengine.cnf.");
        }
    }

    /// <inheritdoc/>
    public IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock) => new MariaWorkload(settings, spoolFolder, new MariaPrograms(settings.Name), clock);

    /// <inheritdoc/>
    public IWorkloadRecovery Recovery(TimeProvider clock) => new MariaRecovery(clock);
}
