using System.Globalization;
using MSOnlineBackup.Campaigns.Applications;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>A MariaDB server of a test's own, which runs as an account that owns nothing else. Skips its test where MariaDB is not installed.</summary>
public sealed class MariaCluster : IDisposable
{
    private static readonly string[] _programs = ["mariadbd", "mariadb", "mariadb-install-db", "mariadb-backup", "mbstream", "mariadb-binlog", "mariadb-check", "setpriv"];

    private ServerProcess? _server;

    private MariaCluster(string data, string socket) => (Data, Socket) = (data, socket);

    public string Data { get; }

    public string Socket { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string[] To => ["--no-defaults", "--user=root", "--socket=" + Socket];

    /// <summary>Makes a server. It is not started yet.</summary>
    public static MariaCluster Create(TempFolder folder, string name)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root, to run the server as another account.");
        Assert.SkipUnless(_programs.All(program => ApplicationDisk.Find(program) is not null), $"Needs {string.Join(", ", _programs)}.");
        Shell.RunChecked("chmod", "711", folder.Path);
        string place = Directory.CreateDirectory(folder[name]).FullName;
        Shell.RunChecked("chown", ServerProcess.Account, place);
        string[] command = ServerProcess.AsAccount(
            ApplicationDisk.Find("mariadb-install-db")!, "--no-defaults", $"--datadir={place}/data", "--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--skip-test-db");
        Shell.RunChecked(command[0], command[1..]);
        return new MariaCluster(place + "/data", place + "/s");
    }

    /// <summary>A data directory that was recovered.</summary>
    public static MariaCluster Recovered(string data) => new(data, data + ".s");

    /// <summary>Starts the server, and waits until it answers.</summary>
    public async Task StartAsync(params string[] settings)
    {
        _server = ServerProcess.Start(
            "TERM",
            [
                ApplicationDisk.Find("mariadbd")!, "--no-defaults", "--datadir=" + Data, "--socket=" + Socket, "--skip-networking", $"--pid-file={Socket}.pid", $"--log-error={Socket}.log",
                "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=16M", .. settings,
            ]);
        try
        {
            await _server.WaitAsync(Cancel, ["mariadb", .. To, "--execute=SELECT 1"]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _server?.Dispose();
        _server = null;
    }

    /// <summary>Ends it as a power failure does.</summary>
    public void Kill()
    {
        Shell.RunChecked("kill", "-KILL", File.ReadAllText(Socket + ".pid").Trim());
        Dispose();
    }

    public string Ask(string question) => Shell.RunChecked("mariadb", [.. To, "--batch", "--skip-column-names", "--execute=" + question]).Trim();

    public long Number(string question) => long.Parse(Ask(question), CultureInfo.InvariantCulture);

    /// <summary>Defines something that has semicolons in it.</summary>
    public void Define(string statement) => Shell.RunChecked("mariadb", [.. To, "--delimiter=@", "--execute=" + statement]);

    /// <summary>Has a statement run beside the test until it is disposed of.</summary>
    public ServerProcess Run(string statement) =>
        ServerProcess.Start("KILL", ["mariadb", "--no-defaults", "--user=writer", "--password=writer", "--socket=" + Socket, "--force", "--execute=" + statement]);

    /// <summary>What mariadb-check says of tables that are not in order.</summary>
    public string Check() => string.Join('\n', Shell.RunChecked("mariadb-check", [.. To, "--check", "--extended", "--all-databases"])
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.EndsWith("OK", StringComparison.Ordinal)));
}
