using System.Globalization;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>PostgreSQL: its log goes through a replication slot, and a recovered cluster replays it when it is started.</summary>
internal sealed class PgKind : IWorkloadKind
{
    /// <summary>PostgreSQL's own port.</summary>
    public const int OwnPort = 5432;

    private const int MaxUserLength = 63;

    /// <inheritdoc/>
    public WorkloadKind Kind => WorkloadKind.PostgreSql;

    /// <inheritdoc/>
    public bool HasLog => true;

    /// <inheritdoc/>
    public int? UsualPort => OwnPort;

    /// <inheritdoc/>
    public void Check(WorkloadSettings settings)
    {
        settings.RequirePath("socket folder", settings.Socket ?? "", "Name the folder of the server's socket, for example /run/postgresql.");
        if (settings.Port is < 1 or > ushort.MaxValue)
        {
            throw settings.Invalid(string.Create(CultureInfo.InvariantCulture, $"The port {settings.Port} of the workload '{settings.Name}' is none."), "Use 1 to 65535; PostgreSQL's own is 5432.");
        }

        settings.RequireUser(MaxUserLength);
        settings.RequireNone(settings.Path, "a database");
        settings.RequireNone(settings.OptionFile, "an option file");
    }

    /// <inheritdoc/>
    public IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock) => new PgWorkload(settings, spoolFolder, new PgPrograms(settings), clock);

    /// <inheritdoc/>
    public IWorkloadRecovery Recovery(TimeProvider clock) => new PgRecovery();
}
