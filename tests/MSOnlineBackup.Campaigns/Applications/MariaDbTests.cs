using System.Globalization;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Applications;

/// <summary>
/// MariaDB at work: each restored server starts, has every row that was committed when the backup began, and finds each of its tables in order, also those
/// without transactions.
/// </summary>
public sealed class MariaDbTests : IDisposable
{
    private readonly ApplicationDisk _disk = new("mariadbd", "mariadb", "mariadb-install-db", "mariadb-check", "mariadb-dump", "setpriv");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _disk.Path + "/data";

    public void Dispose() => _disk.Dispose();

    [Fact]
    public async Task A_restored_server_starts_with_every_committed_row_and_all_tables_in_order()
    {
        int rounds = Campaign.IsFull ? 10 : 2;
        string socket = _disk.MakeFolder("sockets") + "/socket";
        Install();
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "MariaDB", socket, _disk.Folder["session"]);
        FolderVault vault = await _disk.CreateVaultAsync();
        var points = new List<(RecoveryPoint Point, long Committed)>();

        using (await StartAsync(Data, socket))
        {
            Ask(socket, "CREATE DATABASE app");
            Ask(socket, "CREATE TABLE app.first (n BIGINT PRIMARY KEY, note VARCHAR(300)) ENGINE=InnoDB");
            Ask(socket, "CREATE TABLE app.second (n BIGINT PRIMARY KEY, note VARCHAR(300)) ENGINE=MyISAM");
            Ask(
                socket,
                """
                CREATE PROCEDURE app.work()
                BEGIN
                    DECLARE i BIGINT DEFAULT 0;
                    LOOP
                        SET i = i + 1;
                        INSERT INTO app.first VALUES (i, REPEAT('x', 200));
                        INSERT INTO app.second VALUES (i, REPEAT('y', 200));
                    END LOOP;
                END
                """,
                "--delimiter=@");
            using ServerProcess writer = ServerProcess.Start("KILL", ["mariadb", .. To(socket), "--execute=CALL app.work()"]);
            for (int round = 0; round < rounds; round++)
            {
                long before = Number(socket, "SELECT COALESCE(MAX(n), 0) FROM app.first");
                await ApplicationDisk.UntilAsync(() => Number(socket, "SELECT COALESCE(MAX(n), 0) FROM app.first") > before + 50);
                long committed = Number(socket, "SELECT MAX(n) FROM app.first");
                points.Add((await _disk.BackUpAsync(vault, scripts), committed));
            }

            Assert.False(writer.HasExited, "There was nothing going on.");
        }

        foreach ((RecoveryPoint point, long committed) in points)
        {
            string restored = await _disk.RestoreAsync(vault, point, points.FindIndex(each => each.Point == point)) + "/data";
            using (await StartAsync(restored, socket))
            {
                // Before anything opens them: a table that was being written would be marked as such.
                string said = Shell.RunChecked("mariadb-check", [.. To(socket), "--check", "--all-databases"]);
                string[] tables = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                Assert.Contains(tables, line => line.StartsWith("app.second", StringComparison.Ordinal));
                Assert.All(tables, line => Assert.EndsWith("OK", line, StringComparison.Ordinal));
                long first = Number(socket, "SELECT COUNT(*) FROM app.first");
                long second = Number(socket, "SELECT COUNT(*) FROM app.second");
                Assert.True(first >= committed, "Committed rows are missing.");
                Assert.Equal(first, Number(socket, "SELECT MAX(n) FROM app.first"));
                Assert.InRange(first - second, 0, 1);
                string dump = Shell.RunChecked("mariadb-dump", [.. To(socket), "--all-databases"]);
                Assert.Contains("-- Dump completed", dump, StringComparison.Ordinal);
            }

            Directory.Delete(restored, recursive: true);
        }
    }

    [Fact]
    public async Task A_session_that_ended_too_early_is_a_failure_of_the_post_script()
    {
        string socket = _disk.MakeFolder("sockets") + "/socket";
        Install();
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "MariaDB", socket, _disk.Folder["session"]);
        using ServerProcess server = await StartAsync(Data, socket);
        Shell.RunChecked("sh", "-c", "\"$0\" \"$1\" \"$2\" >/dev/null 2>&1", scripts.Pre, socket, _disk.Folder["session"]);
        string session = (await File.ReadAllTextAsync(_disk.Folder["session", "session"], Cancel)).Trim();
        Shell.RunChecked("kill", "-KILL", session);
        await ApplicationDisk.UntilAsync(() => Shell.Run("kill", "-0", session).ExitCode != 0);

        Assert.Equal(1, Shell.Run(scripts.Post, socket, _disk.Folder["session"]).ExitCode);
        Assert.Equal(0, Shell.Run(scripts.Post, socket, _disk.Folder["session"]).ExitCode);
    }

    private void Install()
    {
        string[] command = ServerProcess.AsAccount(
            "mariadb-install-db", "--no-defaults", $"--datadir={Data}", "--auth-root-authentication-method=normal", "--skip-test-db");
        Shell.RunChecked(command[0], command[1..]);
    }

    private async Task<ServerProcess> StartAsync(string data, string socket)
    {
        ServerProcess server = ServerProcess.Start(
            "TERM",
            ApplicationDisk.Find("mariadbd")!,
            "--no-defaults",
            $"--datadir={data}",
            $"--socket={socket}",
            "--skip-networking",
            $"--pid-file={socket}.pid",
            $"--log-error={_disk.Folder["sockets", "log"]}",
            "--innodb-buffer-pool-size=32M");
        try
        {
            await server.WaitAsync(Cancel, ["mariadb", .. To(socket), "--execute=SELECT 1"]);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private static string Ask(string socket, string question, params string[] options) =>
        Shell.RunChecked("mariadb", [.. To(socket), "--batch", "--skip-column-names", .. options, $"--execute={question}"]).Trim();

    private static string[] To(string socket) => ["--no-defaults", "--user=root", $"--socket={socket}"];

    private static long Number(string socket, string question) => long.Parse(Ask(socket, question), CultureInfo.InvariantCulture);
}
