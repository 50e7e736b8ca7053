using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>
/// MariaDB under writers, backed up whole and by its log, and recovered to moments: each recovered server starts by itself, has exactly the rows that were committed by then, in
/// tables with and without transactions, and passes mariadb-check. Backups are killed in their midst, and the log gets gaps.
/// </summary>
public sealed class MariaWorkloadTests : IDisposable
{
    private static readonly string[] _tables = ["app.first", "app.second", "app.third", "app.alone"];

    private readonly WorkloadMachine _machine = new();
    private readonly MariaCluster _server;

    public MariaWorkloadTests() => _server = MariaCluster.Create(_machine.Folder, "maria");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private WorkloadSettings Settings => new("maria1", WorkloadKind.MariaDb, _server.Socket, User: "root");

    public void Dispose()
    {
        _server?.Dispose();
        _machine.Dispose();
    }

    [Fact]
    public async Task A_recovered_server_has_exactly_the_rows_that_were_committed_by_then()
    {
        int recoveries = Campaign.Rounds(usual: 2, full: 20);
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        List<ServerProcess> writers = [.. Enumerable.Range(1, 3).Select(writer => _server.Run($"CALL app.work({writer})"))];
        try
        {
            for (int run = 0; run < Math.Max(3, recoveries / 3); run++)
            {
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal((JobState.Completed, 0L), (job.State, job.Skipped));
                Assert.Null(job.Warnings);

                // What is defined, and who may what, is in the log, too.
                _server.Ask($"CREATE TABLE app.later{run} (n INT PRIMARY KEY) ENGINE=Aria; INSERT INTO app.later{run} VALUES (1); CREATE USER u{run}@localhost IDENTIFIED BY 'p'; GRANT SELECT ON app.* TO u{run}@localhost");
                await WaitForSecondsAsync(2);
            }

            await _machine.BackUpAsync();
            Assert.DoesNotContain(writers, writer => writer.HasExited);
        }
        finally
        {
            writers.ForEach(writer => writer.Dispose());
        }

        WorkloadState state = await _machine.FindAsync();
        WorkloadWindow window = Assert.Single(state.Windows);
        Assert.Contains("app", state.Databases);
        var random = new Random(Campaign.FirstSeed(20261130));
        for (int recovery = 0; recovery < recoveries; recovery++)
        {
            await CheckAsync(window, random, recovery);
        }

        // As far as the log goes: a table and an account that came after the full backup.
        string target = _machine.Folder["maria", "latest"];
        await _machine.RecoverAsync("maria1", null, target);
        await AskAsync(target, recovered =>
        {
            Assert.Equal("1", recovered.Ask("SELECT n FROM app.later0"));
            Assert.Contains("SELECT ON `app`.*", recovered.Ask("SHOW GRANTS FOR u0@localhost"), StringComparison.Ordinal);
        });
        BackupException outside = await Assert.ThrowsAsync<BackupException>(() => _machine.RecoverAsync("maria1", window.To.AddSeconds(5), _machine.Folder["outside"]));
        Assert.Equal(BackupErrorId.WorkloadTimeOutside, outside.Id);
        Assert.False(Directory.Exists(_machine.Folder["outside"]));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_machine.Folder["maria"]), path => Path.GetFileName(path).StartsWith('.'));
    }

    [Fact]
    public async Task A_gap_in_the_log_is_found_by_the_next_backup_which_is_full()
    {
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        await _machine.BackUpAsync();
        WorkloadWindow before = Assert.Single((await _machine.FindAsync()).Windows);

        // The server keeps what it may need itself for a moment longer.
        _server.Ask("FLUSH BINARY LOGS");
        await Applications.ApplicationDisk.UntilAsync(() => _server.Ask("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY; SHOW BINARY LOGS").Split('\n').Length == 1);
        await GapAsync("FLUSH BINARY LOGS", "no longer has the file");

        // The same names come again, for other files.
        _server.Ask("RESET MASTER");
        string wanted = (await _machine.FindAsync()).LastLog!.End.Split(' ')[0];
        while (string.CompareOrdinal(Last(), wanted) < 0)
        {
            _server.Ask("FLUSH BINARY LOGS");
        }

        await GapAsync("FLUSH BINARY LOGS", "RESET MASTER");

        // A crash of a server that may lose the end of its log; one that does not goes on.
        await CrashAsync("--sync-binlog=1");
        _server.Ask("INSERT INTO app.alone VALUES (7, 7, NOW(6), '')");
        Assert.Null((await _machine.BackUpAsync()).Warnings);
        await CrashAsync("--sync-binlog=0");
        await GapAsync("FLUSH BINARY LOGS", "has crashed");
        WorkloadState state = await _machine.FindAsync();
        Assert.Equal((4, 4), (state.Chains.Count, state.Windows.Count));
        Assert.Equal(before, state.Windows[0]);

        async Task GapAsync(string cause, string why)
        {
            _server.Ask(cause);
            JobRecord job = await _machine.BackUpAsync();
            JobError warning = Assert.Single(job.Warnings!);
            Assert.Equal(nameof(BackupErrorId.WorkloadLogGap), warning.Id);
            Assert.Contains(why, warning.Message, StringComparison.Ordinal);
        }

        string Last() => _server.Ask("SHOW BINARY LOGS").Split('\n')[^1].Split('\t')[0];

        async Task CrashAsync(string setting)
        {
            _server.Kill();
            await _server.StartAsync("--log-bin=binlog", "--server-id=7", setting);
        }
    }

    [Fact]
    public async Task Backups_that_are_killed_leave_nothing_half_and_the_next_one_goes_on()
    {
        int rounds = Campaign.Rounds(usual: 2, full: 12);
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        using ServerProcess writer = _server.Run("CALL app.work(1)");
        var random = new Random(Campaign.FirstSeed(7));
        for (int round = 0; round < rounds; round++)
        {
            // Before there is a full backup, that is what is killed; afterwards a log.
            JobRecord begun = await _machine.Agent.Jobs.StartAsync(new BackupOrder { Policy = Agent.Policies.PolicyKind.Files, Only = [] }, Cancel);
            await Task.Delay(random.Next(20, 1500), Cancel);
            using (Process process = Process.GetProcessById(begun.ProcessId))
            {
                process.Kill();
                await process.WaitForExitAsync(Cancel);
            }

            if (round % 2 == 1)
            {
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal(JobState.Completed, job.State);
                Assert.Null(job.Warnings);
            }
        }

        await WaitForSecondsAsync(2);
        await _machine.BackUpAsync();
        await CheckAsync(Assert.Single((await _machine.FindAsync()).Windows), random, 0);
        Assert.Equal("0", _server.Ask("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'BACKUP%'"));
    }

    [Fact]
    public async Task What_rules_a_backup_out_is_told_before_anything_is_read()
    {
        await _machine.PrepareAsync(Settings);
        await RefusedAsync(BackupErrorId.WorkloadUnreachable, "socket");
        foreach ((string[] settings, string why) in new[]
        {
            (new[] { "--skip-log-bin" }, "log_bin"),
            (["--log-bin=binlog", "--binlog-format=STATEMENT"], "binlog_format"),
            (["--log-bin=binlog", "--binlog-ignore-db=app"], "binlog_ignore_db"),
        })
        {
            await _server.StartAsync(settings);
            await RefusedAsync(BackupErrorId.WorkloadUnfit, why);
            _server.Dispose();
        }

        await _server.StartAsync("--log-bin=binlog", "--server-id=7");
        _server.Ask("CREATE USER weak@localhost IDENTIFIED BY 'secret'");
        string options = _machine.Folder["weak.cnf"];
        await File.WriteAllTextAsync(options, "[client]\npassword=secret\n", Cancel);
        await _machine.SaveAsync(Settings with { User = "nosuch" });
        await RefusedAsync(BackupErrorId.WorkloadAccessDenied, "nosuch");
        await _machine.SaveAsync(Settings with { User = "weak", OptionFile = options });
        await RefusedAsync(BackupErrorId.WorkloadAccessDenied, "BINLOG MONITOR");

        // The rights that docs/workloads.md names are enough.
        _server.Ask("GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, SHOW DATABASES ON *.* TO weak@localhost");
        Assert.Equal(JobState.Completed, (await _machine.BackUpAsync()).State);
        Assert.Single((await _machine.FindAsync()).Windows);
    }

    private async Task StartAsync()
    {
        await _server.StartAsync("--log-bin=binlog", "--server-id=7", "--gtid-strict-mode=1");
        _server.Ask("CREATE USER writer@localhost IDENTIFIED BY 'writer'; GRANT ALL ON *.* TO writer@localhost; CREATE DATABASE app");
        foreach ((string table, string engine) in new[] { ("first", "InnoDB"), ("second", "MyISAM"), ("third", "Aria"), ("alone", "InnoDB") })
        {
            _server.Ask($"CREATE TABLE app.{table} (writer INT, n BIGINT, at DATETIME(6), note VARCHAR(300), PRIMARY KEY (writer, n)) ENGINE={engine}");
        }

        // Three kinds of tables by single statements, and now and then a transaction of two.
        _server.Define(
            """
            CREATE PROCEDURE app.work(IN w INT)
            BEGIN
                DECLARE i BIGINT DEFAULT 0;
                LOOP
                    SET i = i + 1;
                    EXECUTE IMMEDIATE 'INSERT INTO app.first VALUES (?, ?, NOW(6), REPEAT(?, 200))' USING w, i, 'x';
                    EXECUTE IMMEDIATE 'INSERT INTO app.second VALUES (?, ?, NOW(6), REPEAT(?, 200))' USING w, i, 'y';
                    EXECUTE IMMEDIATE 'INSERT INTO app.third VALUES (?, ?, NOW(6), REPEAT(?, 200))' USING w, i, 'z';
                    START TRANSACTION;
                    INSERT INTO app.alone VALUES (w, 2 * i, NOW(6), '');
                    INSERT INTO app.alone VALUES (w, 2 * i + 1, NOW(6), '');
                    COMMIT;
                    DO SLEEP(0.004);
                END LOOP;
            END
            """);
    }

    private Task WaitForSecondsAsync(int seconds)
    {
        double end = double.Parse(_server.Ask("SELECT UNIX_TIMESTAMP(NOW(6))"), CultureInfo.InvariantCulture) + seconds;
        return Applications.ApplicationDisk.UntilAsync(() => double.Parse(_server.Ask("SELECT UNIX_TIMESTAMP(NOW(6))"), CultureInfo.InvariantCulture) > end);
    }

    // What mariadb-binlog tells of the server's own log is what is to be there: all before the first transaction of a second that is not over at the moment.
    private Dictionary<string, long> Expect(DateTimeOffset moment)
    {
        string[] files = [.. Directory.GetFiles(_server.Data, "binlog.0*").Order(StringComparer.Ordinal)];
        string text = Shell.RunChecked("env", ["TZ=UTC", "mariadb-binlog", "--no-defaults", .. files]);
        Dictionary<string, long> rows = _tables.ToDictionary(table => table, _ => 0L);
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith('#') && line.Contains("\tGTID ", StringComparison.Ordinal)
                && DateTimeOffset.ParseExact(line[1..16], "yyMMdd H:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite) >= new DateTimeOffset(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero))
            {
                break;
            }

            if (Array.Find(_tables, table => line.StartsWith($"INSERT INTO {table} VALUES", StringComparison.Ordinal) || line.StartsWith($"#Q> INSERT INTO {table} VALUES", StringComparison.Ordinal)) is { } inserted)
            {
                rows[inserted]++;
            }
        }

        return rows;
    }

    private async Task CheckAsync(WorkloadWindow window, Random random, int recovery)
    {
        DateTimeOffset moment = window.From.AddTicks(random.NextInt64((window.To - window.From).Ticks + 1));
        Dictionary<string, long> expected = Expect(moment);
        Assert.All(_tables, table => Assert.NotEqual(0, expected[table]));
        string target = _machine.Folder["maria", "recovered-" + recovery];

        JobRecord job = await _machine.RecoverAsync("maria1", moment, target);

        Assert.Equal((JobState.Completed, 0L), (job.State, job.Skipped));
        Assert.Contains("mariadbd", job.Notes, StringComparison.Ordinal);
        await AskAsync(target, recovered =>
        {
            Assert.Equal("", recovered.Check());
            foreach (string table in _tables)
            {
                Assert.Equal($"{table} {expected[table]}", $"{table} {recovered.Ask($"SELECT COUNT(*) FROM {table}")}");

                // Of each writer the first ones, without a gap: they are the rows that are meant.
                int least = table == "app.alone" ? 1 : 0;
                Assert.Equal("0", recovered.Ask($"SELECT COUNT(*) FROM (SELECT writer FROM {table} GROUP BY writer HAVING MAX(n) - {least} <> COUNT(*)) AS gaps"));
            }
        });
    }

    private static async Task AskAsync(string target, Action<MariaCluster> check)
    {
        using (MariaCluster recovered = MariaCluster.Recovered(target))
        {
            await recovered.StartAsync();
            check(recovered);
        }

        Directory.Delete(target, recursive: true);
    }

    private async Task RefusedAsync(BackupErrorId id, string why)
    {
        BackupException refused = await Assert.ThrowsAsync<BackupException>(_machine.BackUpAsync);
        Assert.True(refused.Id == id && refused.Message.Contains(why, StringComparison.Ordinal), $"{id} was expected: {refused.Id}: {refused.Message}");
    }
}
