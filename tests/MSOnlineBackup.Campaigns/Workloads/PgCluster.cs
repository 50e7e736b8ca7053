using System.Globalization;
using MSOnlineBackup.Campaigns.Applications;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>A PostgreSQL cluster of a test's own, whose server runs as an account that owns nothing else. Skips its test where PostgreSQL is not installed.</summary>
public sealed class PgCluster : IDisposable
{
    private static readonly string[] _settings =
        ["listen_addresses=", "log_min_messages=fatal", "track_commit_timestamp=on", "checkpoint_timeout=30s", "fsync=off", "shared_buffers=32MB"];

    private static readonly string[] _programs = ["initdb", "postgres", "pg_ctl", "psql", "pgbench", "pg_receivewal", "pg_amcheck", "setpriv"];

    private ServerProcess? _server;

    private PgCluster(string data, string sockets, int port)
    {
        (Data, Sockets, Port) = (data, sockets, port);
    }

    public string Data { get; }

    public string Sockets { get; }

    public int Port { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Skips where there is no PostgreSQL, or the test may not run it as another account.</summary>
    public static void RequirePrograms()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root, to run the server as another account.");
        Assert.SkipUnless(_programs.All(program => ApplicationDisk.Find(program) is not null), $"Needs {string.Join(", ", _programs)}.");
    }

    /// <summary>Makes a cluster. Its server is not started yet.</summary>
    public static PgCluster Create(TempFolder folder, string name)
    {
        RequirePrograms();
        Shell.RunChecked("chmod", "711", folder.Path);
        string place = Directory.CreateDirectory(folder[name]).FullName;
        Shell.RunChecked("chown", ServerProcess.Account, place);
        var cluster = new PgCluster(place + "/main", place, 5432);
        Run("initdb", "--pgdata", cluster.Data, "--encoding", "UTF8", "--locale", "C", "--auth", "trust", "--username", "postgres", "--data-checksums", "--no-sync");
        return cluster;
    }

    /// <summary>A data directory that was recovered, with a port of its own.</summary>
    public static PgCluster Recovered(string data, string sockets, int port) => new(data, sockets, port);

    /// <summary>Starts the server, and waits until it answers.</summary>
    public async Task StartAsync(params string[] settings)
    {
        IEnumerable<string> all = _settings.Concat(settings);
        _server = ServerProcess.Start(
            "INT", [ApplicationDisk.Find("postgres")!, "-D", Data, "-k", Sockets, "-p", $"{Port}", .. all.SelectMany(setting => new[] { "-c", setting })]);
        await _server.WaitAsync(Cancel, "psql", "--host", Sockets, "--port", $"{Port}", "--username", "postgres", "--command", "SELECT 1");
    }

    /// <summary>Starts it as a user does, and waits until its recovery is over.</summary>
    public async Task StartByItselfAsync()
    {
        Run("pg_ctl", "--pgdata", Data, "--wait", "--timeout", "120", "--silent", "--log", Sockets + "/log-" + Port, "--options", $"-p {Port} -k {Sockets} -c listen_addresses= -c fsync=off", "start");
        while (Ask("SELECT pg_is_in_recovery()") != "f")
        {
            await Task.Delay(50, Cancel);
        }
    }

    /// <summary>Stops what <see cref="StartByItselfAsync"/> has started.</summary>
    public void Stop() => Run("pg_ctl", "--pgdata", Data, "--wait", "--silent", "--mode", "fast", "stop");

    public void Dispose()
    {
        _server?.Dispose();
        _server = null;
    }

    public string Ask(string question, string database = "postgres") => Shell.RunChecked(
        "psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--host", Sockets, "--port", $"{Port}", "--username", "postgres", "--dbname", database, "-c", question).Trim();

    public long Number(string question) => long.Parse(Ask(question), CultureInfo.InvariantCulture);

    /// <summary>Runs pgbench beside the test until it is disposed of.</summary>
    public ServerProcess Bench(params string[] work) => ServerProcess.Start(
        "TERM", [ApplicationDisk.Find("pgbench")!, "--no-vacuum", "--host", Sockets, "--port", $"{Port}", "--username", "postgres", "--time", "86400", .. work, "postgres"]);

    /// <summary>Runs a program of PostgreSQL's as the server's account.</summary>
    public static string Run(string program, params string[] arguments)
    {
        string[] command = ServerProcess.AsAccount([ApplicationDisk.Find(program)!, .. arguments]);
        return Shell.RunChecked(command[0], command[1..]);
    }
}
