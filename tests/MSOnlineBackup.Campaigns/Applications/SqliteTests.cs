using System.Globalization;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Applications;

/// <summary>
/// SQLite while a program writes: the copy in each restored point is whole, of one moment, and has every row that was committed when the backup began. So has
/// the database beside it.
/// </summary>
public sealed class SqliteTests : IDisposable
{
    private readonly ApplicationDisk _disk = new("sqlite3", "setpriv", "runuser");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Database => _disk.Path + "/app.db";

    public void Dispose() => _disk.Dispose();

    [Fact]
    public async Task A_restored_copy_has_every_committed_row()
    {
        int rounds = Campaign.IsFull ? 10 : 2;
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "SQLite", Database, _disk.Path + "/app.backup.db");
        FolderVault vault = await _disk.CreateVaultAsync();
        var points = new List<(RecoveryPoint Point, long Committed)>();
        Ask(Database, "PRAGMA journal_mode = wal");
        Ask(Database, "CREATE TABLE first (n INTEGER PRIMARY KEY, note TEXT); CREATE TABLE second (n INTEGER PRIMARY KEY, note TEXT)");

        // Both rows in one transaction, again and again, with room for others in between. Who says so ends with the one that reads it.
        const string Work = "BEGIN IMMEDIATE; INSERT INTO first (note) VALUES (hex(randomblob(200))); INSERT INTO second (note) VALUES (1); COMMIT;";
        const string Writer = "exec sqlite3 -bail -cmd '.timeout 10000' \"$0\" < <(while echo \"$1\"; do sleep 0.01; done 2>/dev/null)";
        using (ServerProcess writer = ServerProcess.Start("KILL", "bash", "-c", Writer, Database, Work))
        {
            for (int round = 0; round < rounds; round++)
            {
                long before = Number(Database, "SELECT count(*) FROM first");
                await ApplicationDisk.UntilAsync(() => Number(Database, "SELECT count(*) FROM first") > before + 20);
                long committed = Number(Database, "SELECT count(*) FROM first");
                points.Add((await _disk.BackUpAsync(vault, scripts), committed));
            }

            Assert.False(writer.HasExited, "There was nothing going on.");
        }

        foreach ((RecoveryPoint point, long committed) in points)
        {
            string restored = await _disk.RestoreAsync(vault, point, points.FindIndex(each => each.Point == point));
            Assert.False(File.Exists(restored + "/app.backup.db-journal"));
            foreach (string name in new[] { "app.backup.db", "app.db" })
            {
                string database = $"{restored}/{name}";
                Assert.Equal("ok", Ask(database, "PRAGMA integrity_check"));
                long first = Number(database, "SELECT count(*) FROM first");
                Assert.True(first >= committed, $"Committed rows are missing from {name}.");
                Assert.Equal(first, Number(database, "SELECT count(*) FROM second"));
            }
        }
    }

    [Fact]
    public async Task What_is_no_database_is_a_failure_of_the_script()
    {
        ScriptFolder scripts = ScriptFolder.OfExample(_disk.Folder["scripts"], "SQLite", Database, _disk.Path + "/app.backup.db");
        await File.WriteAllTextAsync(Database, new string('x', 5000), Cancel);

        Assert.NotEqual(0, Shell.Run(scripts.Pre, Database, _disk.Path + "/app.backup.db").ExitCode);
        Assert.NotEqual(0, Shell.Run(scripts.Pre, _disk.Path + "/missing.db", _disk.Path + "/app.backup.db").ExitCode);
        Assert.False(File.Exists(_disk.Path + "/app.backup.db"));
    }

    // As the account that writes: what SQLite makes beside the database belongs to whoever opens it first.
    private static string Ask(string database, string question)
    {
        string[] command = ServerProcess.AsAccount("sqlite3", "-bail", "-cmd", ".timeout 10000", database, question);
        return Shell.RunChecked(command[0], command[1..]).Trim();
    }

    private static long Number(string database, string question) => long.Parse(Ask(database, question), CultureInfo.InvariantCulture);
}
