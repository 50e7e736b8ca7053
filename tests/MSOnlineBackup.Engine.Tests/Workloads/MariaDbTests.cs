using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.MariaDb;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What MariaDB and its programs say and write. The programs themselves run in a campaign.</summary>
public sealed class MariaDbTests
{
    private const uint Noon = 1_796_040_000;

    [Fact]
    public void A_file_of_the_log_tells_what_follows_it_and_that_it_is_whole()
    {
        byte[] file = BinlogSample.Begin(Noon).Commit(Noon + 1).RotateTo("mysql-bin.000009", Noon + 2).ToArray();

        BinlogFacts facts = BinlogFile.Read(new MemoryStream(file))!;

        Assert.Equal((file.LongLength, "mysql-bin.000009", true), (facts.Length, facts.Next, facts.IsClosed));
        Assert.Equal(16, facts.Mark.Length);

        // Ended by a shutdown; being written, or after a crash; cut in an event, which does not count then.
        Assert.Equal((null, true), (BinlogFile.Read(BinlogSample.Begin(Noon).Add(BinlogSample.Stop, Noon).Open())!.Next, BinlogFile.Read(BinlogSample.Begin(Noon).Add(BinlogSample.Stop, Noon).Open())!.IsClosed));
        BinlogSample open = BinlogSample.Begin(Noon).Commit(Noon);
        Assert.Equal((open.Length, false), (BinlogFile.Read(open.Open())!.Length, BinlogFile.Read(open.Open())!.IsClosed));
        Assert.Equal(open.Length, BinlogFile.Read(new MemoryStream([.. open.ToArray(), .. new byte[30]]))!.Length);
    }

    [Fact]
    public void Files_of_one_name_are_told_apart_by_when_they_were_begun_and_what_went_before()
    {
        string mark = BinlogFile.Read(BinlogSample.Begin(Noon).Open())!.Mark;

        Assert.Equal(mark, BinlogFile.Read(BinlogSample.Begin(Noon).Commit(Noon).Open())!.Mark);
        Assert.NotEqual(mark, BinlogFile.Read(BinlogSample.Begin(Noon + 1).Open())!.Mark);
        Assert.NotEqual(mark, BinlogFile.Read(BinlogSample.Begin(Noon, "0-1-4").Open())!.Mark);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(22)]
    public void What_is_no_log_is_none(int length) => Assert.Null(BinlogFile.Read(new MemoryStream(BinlogSample.Begin(Noon).ToArray()[..length])));

    [Fact]
    public void The_log_ends_before_the_first_transaction_of_a_second_that_is_not_over()
    {
        BinlogSample file = BinlogSample.Begin(Noon).Commit(Noon + 1);
        long second = file.Length;

        // A transaction whose statements are older than its commit counts as its commit; what comes behind a later one does not count, whatever time it has.
        file.Commit(Noon + 3, statement: Noon + 1);
        file.Add(BinlogSample.Checkpoint, Noon + 9, new byte[20]).Commit(Noon + 2).RotateTo("b.000002", Noon + 9);

        Assert.Equal(BinlogSample.Begin(Noon).Length, BinlogFile.FindTransactionAt(file.Open(), BinlogFile.FirstEvent, Noon + 1));
        Assert.Equal(second, BinlogFile.FindTransactionAt(file.Open(), BinlogFile.FirstEvent, Noon + 2));
        Assert.Equal(second, BinlogFile.FindTransactionAt(file.Open(), second, Noon + 1));
        Assert.Null(BinlogFile.FindTransactionAt(file.Open(), BinlogFile.FirstEvent, Noon + 4));
    }

    [Fact]
    public void A_replay_has_the_files_from_where_the_full_backup_ends_to_the_wanted_time()
    {
        using var folder = new TempFolder();
        BinlogSample first = BinlogSample.Begin(Noon).Commit(Noon + 1);
        long end = first.Length;
        File.WriteAllBytes(folder["b.000007"], first.Commit(Noon + 2).RotateTo("b.000008", Noon + 3).ToArray());
        BinlogSample next = BinlogSample.Begin(Noon + 3);
        long late = next.Commit(Noon + 4).Length;
        File.WriteAllBytes(folder["b.000008"], next.Commit(Noon + 5).RotateTo("b.000009", Noon + 6).ToArray());
        WorkloadChain chain = Chain($"b.000007:{end}", "b.000009 0000000000000000");

        MariaReplay all = MariaRecovery.Plan(folder.Path, chain, null);
        Assert.Equal((2, end, null), (all.Files.Count, all.Start, all.Stop));
        MariaReplay some = MariaRecovery.Plan(folder.Path, chain, DateTimeOffset.FromUnixTimeMilliseconds((Noon + 5) * 1000L + 999));
        Assert.Equal((2, end, late), (some.Files.Count, some.Start, some.Stop));
        Assert.Empty(MariaRecovery.Plan(folder.Path, chain, DateTimeOffset.FromUnixTimeSeconds(Noon + 2)).Files);

        // A log that lacks something is refused, whatever is wanted of it.
        foreach (Action damage in new Action[]
        {
            () => File.WriteAllBytes(folder["b.000008"], next.ToArray()[..^3]),
            () => File.WriteAllBytes(folder["b.000008"], [1, 2, 3]),
            () => File.Delete(folder["b.000008"]),
        })
        {
            damage();
            Assert.Equal(BackupErrorId.WorkloadIncomplete, Assert.Throws<BackupException>(() => MariaRecovery.Plan(folder.Path, chain, null)).Id);
        }

        Assert.Equal(BackupErrorId.WorkloadIncomplete, Assert.Throws<BackupException>(() => MariaRecovery.Plan(folder.Path, Chain("nonsense", "b.000009 0000000000000000"), null)).Id);
    }

    [Theory]
    [InlineData("mysql-bin.000008 6b0dd16844136fa3", "mysql-bin.000008")]
    [InlineData("a b.000001 0000000000000000", "a b.000001")]
    public void A_position_is_read_and_written(string text, string file)
    {
        Assert.True(MariaPosition.TryParse(text, out MariaPosition? position));
        Assert.Equal((file, text), (position.File, position.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("mysql-bin.000008")]
    [InlineData("mysql-bin.000008 6b0dd168")]
    [InlineData("mysql-bin.000008 6B0DD16844136FA3")]
    [InlineData("mysql-bin 6b0dd16844136fa3")]
    [InlineData("../x.000001 6b0dd16844136fa3")]
    public void What_is_no_position_is_none(string? text) => Assert.False(MariaPosition.TryParse(text, out _));

    [Theory]
    [InlineData("mysql-bin.000008:605", true)]
    [InlineData("mysql-bin.000008:-1", false)]
    [InlineData("mysql-bin:605", false)]
    [InlineData("605", false)]
    public void A_place_is_read_and_written(string text, bool isOne)
    {
        Assert.Equal(isOne, MariaPlace.TryParse(text, out MariaPlace? place));
        Assert.Equal(isOne ? text : null, place?.ToString());
    }

    [Theory]
    [InlineData("[00] 2026-11-30 19:41:26 MySQL binlog position: filename 'binlog.000002', position '605', GTID of the last change '0-1-6'", "binlog.000002:605")]
    [InlineData("[00] 2026-11-30 19:41:26 MariaDB binlog position: filename 'binlog.1000000', position '4'", "binlog.1000000:4")]
    [InlineData("[00] 2026-11-30 19:41:26 completed OK!", null)]
    public void The_end_of_a_full_backup_is_read(string line, string? place) => Assert.Equal(place, MariaFull.PlaceOf(line)?.ToString());

    [Theory]
    [InlineData("mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", "10.11")]
    [InlineData("mariadb-backup based on MariaDB server 11.4.2-MariaDB Linux (x86_64)", "11.4")]
    [InlineData("mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", null)]
    [InlineData("5.5.5-10.6.18-MariaDB-log", "10.6")]
    public void The_series_of_a_server_is_read(string text, string? series) => Assert.Equal(series, MariaPrograms.SeriesOf(text));

    [Theory]
    [InlineData("ERROR 1698 (28000): Access denied for user 'zzz'@'localhost'", false, BackupErrorId.WorkloadAccessDenied)]
    [InlineData("ERROR 1227 (42000) at line 1: Access denied; you need (at least one of) the RELOAD privilege(s)", true, BackupErrorId.WorkloadAccessDenied)]
    [InlineData("ERROR 2002 (HY000): Can't connect to local server through socket '/s' (2)", false, BackupErrorId.WorkloadUnreachable)]
    [InlineData("ERROR 2013 (HY000) at line 4: Lost connection to server during query", true, BackupErrorId.WorkloadCommandFailed)]
    [InlineData("ERROR 1290 (HY000) at line 1: The MariaDB server is running with the --read-only option", true, BackupErrorId.WorkloadCommandFailed)]
    [InlineData("", false, BackupErrorId.WorkloadCommandFailed)]
    public void What_the_client_says_is_an_error_of_ours(string said, bool isConnected, BackupErrorId id) => Assert.Equal(id, MariaErrors.OfClient("m1", said, isConnected).Id);

    [Theory]
    [InlineData("[00] 2026-11-30 19:42:35 mariabackup: Can't read dir of './app' (Errcode: 13 \"Permission denied\")", BackupErrorId.WorkloadFileUnreadable)]
    [InlineData("[01] 2026-11-30 19:42:35 Error: failed to copy datafile.", BackupErrorId.WorkloadCommandFailed)]
    public void What_ends_a_full_backup_is_an_error_of_ours(string line, BackupErrorId id)
    {
        BackupException error = MariaErrors.OfBackup("m1", ["[00] 2026-11-30 19:42:34 Connecting to MariaDB server", line, "[00] 2026-11-30 19:42:36 Stopping the log copying thread"]);

        Assert.Equal(id, error.Id);
        Assert.DoesNotContain("2026-11-30", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\\tb\\nc\\\\d\\0", "a\tb\nc\\d\0")]
    [InlineData("\\", "\\")]
    public void Fields_are_read_as_the_client_writes_them(string field, string text) => Assert.Equal(text, MariaSession.Unescape(field));

    [Fact]
    public void What_a_recovery_must_know_is_read_as_it_was_written()
    {
        var facts = new MariaFacts("10.11", 108, 113, new Dictionary<string, string> { ["lower_case_table_names"] = "0", ["old_mode"] = "" });

        MariaFacts read = MariaFacts.Read(facts.Write())!;

        Assert.Equal((facts.Series, facts.User, facts.Group, 2), (read.Series, read.User, read.Group, read.Settings.Count));
        Assert.Null(MariaFacts.Read("{}"u8));
        Assert.Null(MariaFacts.Read((facts with { Settings = new Dictionary<string, string> { ["init_file"] = "/x" } }).Write()));
    }

    [Fact]
    public void A_workload_needs_its_socket_and_takes_no_port()
    {
        var settings = new WorkloadSettings("m1", WorkloadKind.MariaDb, "/run/mysqld/mysqld.sock");
        settings.Check();
        (settings with { OptionFile = "/etc/mysql/obengine.cnf", User = "obengine" }).Check();

        Assert.All(
            new[] { settings with { Socket = "mysqld.sock" }, settings with { Port = 3306 }, settings with { OptionFile = "my.cnf" }, settings with { User = "" } },
            wrong => Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(wrong.Check).Id));
        Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(() => new WorkloadSettings("p", WorkloadKind.PostgreSql, "/run", OptionFile: "/x").Check()).Id);
    }

    private static WorkloadChain Chain(string end, string next)
    {
        var full = new WorkloadPoint
        {
            Name = "m1", Kind = WorkloadKind.MariaDb, IsFull = true, Stream = "s", System = "1", Timeline = "b", Layout = "l", Start = end, End = end, LogStart = "b.000007 0000000000000000",
            From = DateTimeOffset.FromUnixTimeSeconds(Noon), To = DateTimeOffset.FromUnixTimeSeconds(Noon + 2),
        };
        SessionId id = SessionId.Parse("0193a0000000700080000000000000aa");
        return new WorkloadChain(new WorkloadLink(id, full), [new WorkloadLink(id, full with { IsFull = false, LogStart = null, End = next })]);
    }
}
