using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Campaigns.Applications;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>
/// A database of SQLite's under a writer, with a log beside it and without, backed up and recovered: each recovered one is in order, has all transactions up to one and none after
/// it, and none that a later backup has been asked for.
/// </summary>
public sealed class SqliteWorkloadTests : IDisposable
{
    private readonly WorkloadMachine _machine = new();

    public SqliteWorkloadTests() => Assert.SkipUnless(Shell.IsLinuxRoot && ApplicationDisk.Find("sqlite3") is not null, "Needs root, to write as another account, and sqlite3.");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Database => _machine.Folder["srv", "app.db"];

    private WorkloadSettings Settings => new("app", WorkloadKind.Sqlite, Path: Database);

    public void Dispose() => _machine.Dispose();

    [Theory]
    [InlineData("wal")]
    [InlineData("delete")]
    public async Task A_recovered_database_has_all_transactions_up_to_one_and_none_after_it(string mode)
    {
        int backups = Campaign.Rounds(usual: 3, full: 20);
        await StartAsync(mode);
        var counts = new List<(DateTimeOffset Before, long Least, DateTimeOffset After, long Most)>();
        using (StartWriter())
        {
            for (int run = 0; run < backups; run++)
            {
                long least = Count(Database) + 20;
                await ApplicationDisk.UntilAsync(() => Count(Database) >= least);
                DateTimeOffset before = DateTimeOffset.UtcNow;
                long rows = Count(Database);
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal((JobState.Completed, 0L), (job.State, job.Skipped));
                counts.Add((before, rows, DateTimeOffset.UtcNow, Count(Database)));
            }
        }

        WorkloadState state = await _machine.FindAsync();
        Assert.Equal((backups, backups, "app.db"), (state.Chains.Count, state.Windows.Count, Assert.Single(state.Databases)));
        for (int run = 0; run < backups; run++)
        {
            // At a time between two backups it is as the one before has it.
            DateTimeOffset moment = run + 1 < backups ? counts[run + 1].Before : counts[run].After.AddDays(1);
            string target = _machine.Folder["recovered-" + run];
            JobRecord job = await _machine.RecoverAsync("app", moment, target);
            Assert.Equal(JobState.Completed, job.State);
            Assert.Contains(target, job.Notes, StringComparison.Ordinal);
            string recovered = Assert.Single(Directory.GetFileSystemEntries(target));
            Assert.Equal(Path.Combine(target, "app.db"), recovered);
            Assert.Equal(RightsOf(Database), RightsOf(recovered));
            Assert.Equal("ok", Ask(recovered, "PRAGMA integrity_check"));
            Assert.Equal(mode, Ask(recovered, "PRAGMA journal_mode"));
            long rows = Count(recovered);
            Assert.InRange(rows, counts[run].Least, counts[run].Most);
            Assert.Equal($"{rows}|{rows}|{rows}", Ask(recovered, "SELECT max(first.n), count(*), (SELECT count(*) FROM second) FROM first"));
        }

        BackupException early = await Assert.ThrowsAsync<BackupException>(() => _machine.RecoverAsync("app", counts[0].Before.AddDays(-1), _machine.Folder["early"]));
        Assert.Equal(BackupErrorId.WorkloadTimeOutside, early.Id);
        Assert.Contains(state.Windows[0].From.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), early.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_database_that_is_in_order_is_not_backed_up()
    {
        await _machine.PrepareAsync(Settings);
        await RefusedAsync(BackupErrorId.WorkloadUnreachable, "not there");
        MakeFolder();
        await File.WriteAllTextAsync(Database, string.Concat(Enumerable.Repeat("This is no database. ", 200)), Cancel);
        await RefusedAsync(BackupErrorId.WorkloadUnfit, "no database");
        File.Delete(Database);
        Ask(Database, "CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT); CREATE INDEX i ON t (x); WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 2000) INSERT INTO t SELECT n, hex(randomblob(40)) FROM c");
        Assert.Equal(JobState.Completed, (await _machine.BackUpAsync()).State);

        // A page of the index is another one's.
        using (FileStream file = File.Open(Database, FileMode.Open))
        {
            byte[] page = new byte[4096];
            file.Position = file.Length - page.Length;
            await file.ReadExactlyAsync(page, Cancel);
            file.Position = file.Length - (5 * page.Length);
            await file.WriteAsync(page, Cancel);
        }

        await RefusedAsync(BackupErrorId.WorkloadUnfit, "not in order");
        Assert.Single((await _machine.FindAsync()).Windows);
    }

    private async Task StartAsync(string mode)
    {
        MakeFolder();
        Ask(Database, $"PRAGMA journal_mode = {mode}; CREATE TABLE first (n INTEGER PRIMARY KEY, note TEXT); CREATE TABLE second (n INTEGER PRIMARY KEY, note TEXT)");
        Shell.RunChecked("chmod", "640", Database);
        await _machine.PrepareAsync(Settings);
    }

    private void MakeFolder()
    {
        Shell.RunChecked("chmod", "711", _machine.Folder.Path);
        Shell.RunChecked("chown", ServerProcess.Account, Directory.CreateDirectory(_machine.Folder["srv"]).FullName);
    }

    // One transaction of two rows after the other, by one program that holds the database open, of an account of its own.
    private ServerProcess StartWriter()
    {
        const string Transaction = "BEGIN IMMEDIATE; INSERT INTO first SELECT coalesce(max(n), 0) + 1, hex(randomblob(400)) FROM first; INSERT INTO second SELECT max(n), 'x' FROM first; COMMIT;";
        const string Writer = "exec sqlite3 -bail -cmd '.timeout 60000' \"$0\" < <(while echo \"$1\"; do sleep 0.01; done 2>/dev/null)";
        return ServerProcess.Start("TERM", "bash", "-c", Writer, Database, Transaction);
    }

    private static string RightsOf(string file) => Shell.RunChecked("stat", "--format", "%U %a", file).Trim();

    private static long Count(string database) => long.Parse(Ask(database, "SELECT count(*) FROM first"), CultureInfo.InvariantCulture);

    private static string Ask(string database, string question)
    {
        string[] command = ServerProcess.AsAccount("sqlite3", "-batch", "-init", "/dev/null", "-cmd", ".timeout 60000", database, question);
        return Shell.RunChecked(command[0], command[1..]).Trim();
    }

    private async Task RefusedAsync(BackupErrorId id, string why)
    {
        BackupException refused = await Assert.ThrowsAsync<BackupException>(_machine.BackUpAsync);
        Assert.True(refused.Id == id && refused.Message.Contains(why, StringComparison.Ordinal), $"{id} was expected: {refused.Id}: {refused.Message}");
    }
}
