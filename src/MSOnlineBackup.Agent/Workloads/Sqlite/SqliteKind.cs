namespace MSOnlineBackup.Agent.Workloads.Sqlite;

/// <summary>SQLite: one file, of which each backup has all. It has no log that could be backed up for itself, and is recovered to the times of its backups.</summary>
internal sealed class SqliteKind : IWorkloadKind
{
    /// <inheritdoc/>
    public WorkloadKind Kind => WorkloadKind.Sqlite;

    /// <inheritdoc/>
    public bool HasLog => false;

    /// <inheritdoc/>
    public int? UsualPort => null;

    /// <inheritdoc/>
    public void Check(WorkloadSettings settings)
    {
        settings.RequirePath("database", settings.Path ?? "", "Name the database's file, for example /srv/app.db.");
        settings.RequireNone(settings.Socket, "a socket");
        settings.RequireNone(settings.Port, "a port");
        settings.RequireNone(settings.User, "a role");
        settings.RequireNone(settings.OptionFile, "an option file");
    }

    /// <inheritdoc/>
    public IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock) => new SqliteWorkload(settings.Name, settings.Path!, spoolFolder, clock);

    /// <inheritdoc/>
    public IWorkloadRecovery Recovery(TimeProvider clock) => new SqliteRecovery();
}
