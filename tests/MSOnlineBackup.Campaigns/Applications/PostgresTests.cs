using System.Globalization;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Applications;

/// <summary>PostgreSQL under pgbench: each restored cluster starts, has every row that was committed when the backup began, and passes a full dump.</summary>
public sealed class PostgresTests : IDisposable
{
    private readonly ApplicationDisk _disk = new("initdb", "postgres", "psql", "pgbench", "pg_dumpall", "pg_checksums", "setpriv", "runuser");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _disk.Path + "/cluster";

    public void Dispose() => _disk.Dispose();

    [Fact]
    public async Task A_restored_cluster_starts_with_every_committed_row()
    {
        int rounds = Campaign.IsFull ? 10 : 2;
        string sockets = _disk.MakeFolder("sockets");
        Run("initdb", "--pgdata", Data, "--encoding", "UTF8", "--locale", "C", "--auth", "trust", "--username", "postgres", "--data-checksums");
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "PostgreSQL", Data, $"host={sockets} user=postgres dbname=postgres");
        FolderVault vault = await _disk.CreateVaultAsync();
        var points = new List<(RecoveryPoint Point, long Committed)>();

        using (await StartAsync(Data, sockets))
        {
            Run("pgbench", "--initialize", "--quiet", "--scale", "2", "--host", sockets, "--username", "postgres", "postgres");
            Ask(sockets, "CREATE TABLE ledger (n bigserial PRIMARY KEY, note text)");
            await File.WriteAllTextAsync(_disk.Folder["ledger.sql"], "INSERT INTO ledger (note) VALUES (repeat('x', 300));\n", Cancel);
            using ServerProcess ledger = Bench(sockets, "--client", "2", "--file", _disk.Folder["ledger.sql"]);
            using ServerProcess bench = Bench(sockets, "--client", "4", "--builtin", "tpcb-like");
            for (int round = 0; round < rounds; round++)
            {
                // The bench is at work, and what is counted here was committed before the backup begins.
                long before = Number(sockets, "SELECT count(*) FROM pgbench_history");
                await ApplicationDisk.UntilAsync(() => Number(sockets, "SELECT count(*) FROM pgbench_history") > before + 50);
                long committed = Number(sockets, "SELECT count(*) FROM ledger");
                points.Add((await _disk.BackUpAsync(vault, scripts, "postmaster.pid"), committed));
            }

            Assert.False(bench.HasExited || ledger.HasExited, "There was nothing going on.");
        }

        foreach ((RecoveryPoint point, long committed) in points)
        {
            string restored = await _disk.RestoreAsync(vault, point, points.FindIndex(each => each.Point == point)) + "/cluster";
            using (await StartAsync(restored, sockets))
            {
                Assert.True(Number(sockets, "SELECT count(*) FROM ledger") >= committed, "Committed rows are missing.");
                Assert.Equal("t", Ask(sockets, "SELECT sum(abalance) = (SELECT sum(bbalance) FROM pgbench_branches) FROM pgbench_accounts"));
                Assert.Equal("t", Ask(sockets, "SELECT sum(tbalance) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history) FROM pgbench_tellers"));
                string dump = Shell.RunChecked(ApplicationDisk.Find("pg_dumpall")!, "--host", sockets, "--username", "postgres");
                Assert.Contains("PostgreSQL database cluster dump complete", dump, StringComparison.Ordinal);
            }

            Run("pg_checksums", "--check", "--pgdata", restored);
            Directory.Delete(restored, recursive: true);
        }
    }

    // One snapshot would not hold all of it: nothing is claimed then.
    [Fact]
    public async Task A_cluster_whose_log_lies_elsewhere_is_refused_by_the_script()
    {
        string sockets = _disk.MakeFolder("sockets");
        string log = _disk.MakeFolder("log") + "/wal";
        Run("initdb", "--pgdata", Data, "--locale", "C", "--auth", "trust", "--username", "postgres", "--waldir", log);
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "PostgreSQL", Data, $"host={sockets} user=postgres dbname=postgres");
        using ServerProcess server = await StartAsync(Data, sockets);

        (int exitCode, string said) = Shell.Run(scripts.Pre, Data, $"host={sockets} user=postgres dbname=postgres");

        Assert.Equal(1, exitCode);
        Assert.Contains("outside", said, StringComparison.Ordinal);
    }

    private static async Task<ServerProcess> StartAsync(string data, string sockets)
    {
        ServerProcess server = ServerProcess.Start(
            "INT", ApplicationDisk.Find("postgres")!, "-D", data, "-k", sockets, "-c", "listen_addresses=", "-c", "log_min_messages=fatal");
        try
        {
            await server.WaitAsync(Cancel, "psql", "--host", sockets, "--username", "postgres", "--command", "SELECT 1");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private static ServerProcess Bench(string sockets, params string[] work) => ServerProcess.Start(
        "KILL", ["pgbench", "--no-vacuum", "--host", sockets, "--username", "postgres", "--time", "86400", .. work, "postgres"]);

    private static void Run(string program, params string[] arguments)
    {
        string[] command = ServerProcess.AsAccount([ApplicationDisk.Find(program)!, .. arguments]);
        Shell.RunChecked(command[0], command[1..]);
    }

    private static string Ask(string sockets, string question) =>
        Shell.RunChecked("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--host", sockets, "--username", "postgres", "-c", question).Trim();

    private static long Number(string sockets, string question) => long.Parse(Ask(sockets, question), CultureInfo.InvariantCulture);
}
