namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>How programs of MariaDB's reach a server. Nothing of the system's or the account's option files counts: they may name another server.</summary>
/// <param name="Socket">The socket; where it is relative, to the folder that the program runs in.</param>
/// <param name="User">The account to log in as; null for that of this process's name.</param>
/// <param name="OptionFile">A file with options for clients, such as a password; null for none.</param>
internal sealed record MariaAccess(string Socket, string? User, string? OptionFile)
{
    /// <summary>The access of a workload.</summary>
    public static MariaAccess Of(WorkloadSettings settings) => new(settings.Socket ?? throw new InvalidOperationException("The settings were not checked."), settings.User, settings.OptionFile);

    /// <summary>The first of the arguments of each program; the one about option files must come before all others.</summary>
    public IReadOnlyList<string> Arguments =>
    [
        OptionFile is { } file ? "--defaults-file=" + file : "--no-defaults",
        "--host=localhost",
        "--socket=" + Socket,
        .. User is { } user ? ["--user=" + user] : OptionFile is null ? new[] { "--user=" + Environment.UserName } : [],
    ];
}
