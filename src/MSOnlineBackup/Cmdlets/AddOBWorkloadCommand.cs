using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Adds a database, or a server of them, of this machine to a draft.</summary>
[Cmdlet(VerbsCommon.Add, "OBWorkload", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class AddOBWorkloadCommand : OBCmdlet
{
    private const string PostgreSqlSet = "PostgreSql";
    private const string MariaDbSet = "MariaDb";
    private const string SqliteSet = "Sqlite";
    private const string SqlServerSet = "SqlServer";
    private const int OwnPort = 5432;

    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The server is PostgreSQL.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PostgreSqlSet)]
    public SwitchParameter PostgreSql { get; set; }

    /// <summary>The server is MariaDB.</summary>
    [Parameter(Mandatory = true, ParameterSetName = MariaDbSet)]
    public SwitchParameter MariaDb { get; set; }

    /// <summary>It is a database of SQLite's.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SqliteSet)]
    public SwitchParameter Sqlite { get; set; }

    /// <summary>The server is SQL Server.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SqlServerSet)]
    public SwitchParameter SqlServer { get; set; }

    /// <summary>The server on this machine: localhost, or with a port localhost,1433.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SqlServerSet)]
    [ValidateNotNullOrEmpty]
    public string Server { get; set; } = "";

    /// <summary>The absolute path of a folder of the server's account, to which it writes its backups until the vault has them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SqlServerSet)]
    [ValidateNotNullOrEmpty]
    public string BackupFolder { get; set; } = "";

    /// <summary>The absolute path of the database's file.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SqliteSet)]
    [ValidateNotNullOrEmpty]
    public string DatabasePath { get; set; } = "";

    /// <summary>What the server is reached by: the absolute path of the folder of its socket (PostgreSQL), or of the socket itself (MariaDB).</summary>
    [Parameter(Mandatory = true, ParameterSetName = PostgreSqlSet)]
    [Parameter(Mandatory = true, ParameterSetName = MariaDbSet)]
    [ValidateNotNullOrEmpty]
    public string Socket { get; set; } = "";

    /// <summary>The port, which is part of the socket's name.</summary>
    [Parameter(ParameterSetName = PostgreSqlSet)]
    public int Port { get; set; } = OwnPort;

    /// <summary>The role to log in as; that of the account's name, if it is not given.</summary>
    [Parameter(ParameterSetName = PostgreSqlSet)]
    [Parameter(ParameterSetName = MariaDbSet)]
    [Parameter(ParameterSetName = SqlServerSet)]
    [ValidateNotNullOrEmpty]
    public string? User { get; set; }

    /// <summary>The absolute path of a file with options of the server's programs, such as a password.</summary>
    [Parameter(ParameterSetName = MariaDbSet)]
    [Parameter(ParameterSetName = SqlServerSet)]
    [ValidateNotNullOrEmpty]
    public string? OptionFile { get; set; }

    /// <summary>What it is called in the policy and in the vault; pg1, maria1, sqlite1 or sql1, if it is not given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>After which time the next backup is full again; those between are of the log.</summary>
    [Parameter(ParameterSetName = PostgreSqlSet)]
    [Parameter(ParameterSetName = MariaDbSet)]
    [Parameter(ParameterSetName = SqlServerSet)]
    [DurationTransformation]
    public TimeSpan? FullEvery { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!PolicyScope.Of(Policy.Kind).NamesFiles)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid, "The policy protects the system state; workloads need a separate policy.", "Make one with New-OBPolicy, and save it with Set-OBPolicy.", Name ?? "");
        }

        if (!PostgreSql && !MariaDb && !Sqlite && !SqlServer)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, "No kind of database was named.", "Give -PostgreSql, -MariaDb, -Sqlite or -SqlServer.", ParameterSetName);
        }

        var workload = new OBWorkloadSpec
        {
            Name = Name ?? (PostgreSql ? "pg1" : MariaDb ? "maria1" : SqlServer ? "sql1" : "sqlite1"),
            Kind = PostgreSql ? OBWorkloadKind.PostgreSql : MariaDb ? OBWorkloadKind.MariaDb : SqlServer ? OBWorkloadKind.SqlServer : OBWorkloadKind.Sqlite,
            Socket = SqlServer ? Server : Socket,
            Port = PostgreSql ? Port : 0,
            User = User ?? "",
            OptionFile = OptionFile ?? "",
            DatabasePath = DatabasePath,
            BackupFolder = BackupFolder,
            FullEvery = Sqlite ? TimeSpan.Zero : FullEvery,
        };
        workload.ToEngine().Check();
        if (ShouldProcess(Policy.ToString(), $"Add the workload '{workload.Name}'"))
        {
            // What is added again replaces what was.
            Policy.WorkloadSpecs.RemoveAll(there => there.ToEngine().Key == workload.ToEngine().Key);
            Policy.WorkloadSpecs.Add(workload);
        }

        WriteObject(Policy);
    }
}
