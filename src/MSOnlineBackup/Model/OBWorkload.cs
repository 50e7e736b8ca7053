namespace MSOnlineBackup;

/// <summary>What a workload is.</summary>
public enum OBWorkloadKind
{
    /// <summary>A PostgreSQL server.</summary>
    PostgreSql,

    /// <summary>A MariaDB server.</summary>
    MariaDb,

    /// <summary>A database of SQLite's.</summary>
    Sqlite,

    /// <summary>A SQL Server.</summary>
    SqlServer,
}

/// <summary>What a recovery point holds of a workload.</summary>
public enum OBWorkloadPart
{
    /// <summary>Nothing: it is no point of a workload.</summary>
    None,

    /// <summary>A full backup.</summary>
    Full,

    /// <summary>A piece of the log.</summary>
    Log,
}

/// <summary>A database server of this machine in a policy.</summary>
public sealed class OBWorkloadSpec
{
    /// <summary>What it is called in the policy and in the vault.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What it is.</summary>
    public OBWorkloadKind Kind { get; internal init; }

    /// <summary>What it is reached by: of PostgreSQL the folder of its socket, of MariaDB the socket itself, of SQL Server its name; empty where there is no server.</summary>
    public string Socket { get; internal init; } = "";

    /// <summary>Its port; 0 where it has none.</summary>
    public int Port { get; internal init; }

    /// <summary>The database, where it is a file; empty otherwise.</summary>
    public string DatabasePath { get; internal init; } = "";

    /// <summary>The folder that SQL Server writes its backups to; empty otherwise.</summary>
    public string BackupFolder { get; internal init; } = "";

    /// <summary>The file with options of its programs; empty for none.</summary>
    public string OptionFile { get; internal init; } = "";

    /// <summary>The role that backs it up; empty for that of the account's name.</summary>
    public string User { get; internal init; } = "";

    /// <summary>After which time the next backup is full again; null for what the schedule says, zero where each is.</summary>
    public TimeSpan? FullEvery { get; internal init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A time to which a workload can be recovered.</summary>
public sealed class OBWorkloadWindow
{
    /// <summary>The earliest moment, in UTC.</summary>
    public DateTime From { get; internal init; }

    /// <summary>The latest moment, in UTC.</summary>
    public DateTime To { get; internal init; }

    /// <summary>From and to.</summary>
    public override string ToString() => $"{From:u} - {To:u}";
}

/// <summary>A workload, as a vault has it.</summary>
public sealed class OBWorkload
{
    /// <summary>Its name.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What it is.</summary>
    public OBWorkloadKind Kind { get; internal init; }

    /// <summary>The machine that it is of.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The earliest moment of the newest window, in UTC; where there is no log, its first backup; null where it cannot be recovered.</summary>
    public DateTime? RecoverableFrom { get; internal init; }

    /// <summary>The latest moment to which it can be recovered, in UTC; null where it cannot be.</summary>
    public DateTime? RecoverableTo { get; internal init; }

    /// <summary>All times to which it can be recovered, earliest first: more than one where its log had a gap.</summary>
    public OBWorkloadWindow[] Windows { get; internal init; } = [];

    /// <summary>When the newest full backup began, in UTC; null where there is none.</summary>
    public DateTime? LastFull { get; internal init; }

    /// <summary>Until when the newest log goes, in UTC; null where there is none.</summary>
    public DateTime? LastLog { get; internal init; }

    /// <summary>How many full backups there are.</summary>
    public int FullBackups { get; internal init; }

    /// <summary>The databases of the newest full backup, 200 at most.</summary>
    public string[] Databases { get; internal init; } = [];

    /// <summary>The server's version at the newest full backup.</summary>
    public string ServerVersion { get; internal init; } = "";

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
