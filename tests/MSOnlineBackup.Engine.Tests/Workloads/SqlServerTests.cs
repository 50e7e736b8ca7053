using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.SqlServer;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What SQL Server is told and what it answers, by a double of its client: neither the server nor sqlcmd was there.</summary>
public sealed class SqlServerTests : IDisposable
{
    private readonly SqlcmdDouble _sqlcmd = new();
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    private WorkloadSettings Settings => new("sql1", WorkloadKind.SqlServer, "localhost", Path: _sqlcmd.Backup);

    private string Logs => Path.Combine(_sqlcmd.Backup, "obengine_sql1", "log");

    public void Dispose() => _sqlcmd.Dispose();

    [Fact]
    public async Task A_full_backup_and_the_log_after_it_are_what_the_server_writes()
    {
        SqlServerWorkload workload = Open();
        WorkloadServer server = await workload.DiscoverAsync(_stop);
        Assert.Equal(["master", "app", "it's]; $(x)\n"], server.Databases);
        Assert.Equal(("sql1", "16.0.4105.2"), (server.System, server.Version));
        string begin = await workload.BeginStreamAsync(_stop);
        string folder = Path.Combine(_sqlcmd.Backup, "obengine_sql1", "full");
        await using (IWorkloadFull full = await workload.BeginFullAsync(_stop))
        {
            Assert.Equal(4, Directory.GetFiles(folder).Length);
            Assert.True(full.From <= full.To);
        }

        Assert.Empty(Directory.GetFiles(folder));
        await workload.DiscoverAsync(_stop);
        WorkloadLog log = await workload.ReadLogAsync(begin, _stop);

        // Neither the log of a database in SIMPLE nor that of master.
        SqlPart part = Assert.Single(SqlManifest.Read(await File.ReadAllBytesAsync(Path.Combine(Logs, SqlManifest.FileName), _stop))!.Parts);
        Assert.Equal(("app", 100m, 150m), (part.Database, part.First, part.Last));
        Assert.Null(await (await DiscoveredAsync()).FindGapAsync(log.End, _stop));
        await workload.ReleaseAsync(log.End, _stop);
        Assert.Empty(Directory.GetFiles(Logs));
        string[] done = [.. _sqlcmd.Asked.Where(each => !each.Contains("SELECT", StringComparison.Ordinal))];
        Assert.Equal(8, done.Length);
        Assert.Equal(3, done.Count(each => each.EndsWith("BACKUP DATABASE @d TO DISK = @f WITH CHECKSUM, FORMAT, INIT;", StringComparison.Ordinal)));
        Assert.Equal(4, done.Count(each => each.EndsWith("RESTORE VERIFYONLY FROM DISK = @f WITH CHECKSUM;", StringComparison.Ordinal)));
        Assert.Single(done, each => each.StartsWith("DECLARE @d nvarchar(128) = N'app';", StringComparison.Ordinal) && each.EndsWith("BACKUP LOG @d TO DISK = @f WITH CHECKSUM, FORMAT, INIT;", StringComparison.Ordinal));
        Assert.Equal(["-S", "localhost", "-d", "master", "-C", "-b", "-x", "-r1", "-l", "30", "-h-1", "-W", "-w", "65535", "-E", "-Q"], _sqlcmd.Arguments);
    }

    [Fact]
    public async Task A_log_that_the_vault_has_not_stays_until_it_has_and_goes_on()
    {
        string begin = await FirstAsync();
        string[] first = Directory.GetFiles(Logs, "*.trn");
        SqlServerWorkload next = await DiscoveredAsync();

        Assert.Null(await next.FindGapAsync(begin, _stop));
        WorkloadLog log = await next.ReadLogAsync(begin, _stop);

        Assert.Equal(2, Directory.GetFiles(Logs, "*.trn").Length);
        Assert.Contains(Assert.Single(first), Directory.GetFiles(Logs, "*.trn"));
        Assert.Equal([(100m, 150m), (150m, 200m)], SqlManifest.Read(await File.ReadAllBytesAsync(Path.Combine(Logs, SqlManifest.FileName), _stop))!.Parts.Select(part => (part.First, part.Last)));
        await next.ReleaseAsync(log.End, _stop);
        Assert.Null(await (await DiscoveredAsync()).FindGapAsync(log.End, _stop));
        Assert.NotNull(await (await DiscoveredAsync()).FindGapAsync(begin, _stop));
    }

    [Fact]
    public async Task Another_ones_backup_of_a_log_is_a_gap_and_so_is_another_recovery_model()
    {
        await FirstAsync();
        SqlServerWorkload workload = await DiscoveredAsync();
        string position = SqlManifest.Read(await File.ReadAllBytesAsync(Path.Combine(Logs, SqlManifest.FileName), _stop))!.End;
        await workload.ReleaseAsync(position, _stop);
        Assert.Null(await workload.FindGapAsync(position, _stop));

        // While it is made.
        _sqlcmd.BackUpElsewhere();
        Assert.Equal(BackupErrorId.WorkloadCommandFailed, (await Assert.ThrowsAsync<BackupException>(() => workload.ReadLogAsync(position, _stop))).Id);
        Assert.NotNull(await (await DiscoveredAsync()).FindGapAsync(position, _stop));
        foreach (string[] rows in new string[][]
        {
            [SqlcmdDouble.Row("app", 5, 0, 3), SqlcmdDouble.Row("it's]; $(x)\n", 6, 0, 3)],
            [SqlcmdDouble.Row("app", 5, 0, 1, "150")],
            [SqlcmdDouble.Row("app", 5, 6, 1, "150"), SqlcmdDouble.Row("it's]; $(x)\n", 6, 0, 3)],
        })
        {
            _sqlcmd.SetDatabases(rows);
            Assert.NotNull(await (await DiscoveredAsync()).FindGapAsync(position, _stop));
        }

        _sqlcmd.SetDatabases(SqlcmdDouble.Row("it's]; $(x)\n", 6, 0, 3), SqlcmdDouble.Row("app", 5, 0, 2, "150"), SqlcmdDouble.Row("standby", 9, 1, 1));
        Assert.Null(await (await DiscoveredAsync()).FindGapAsync(position, _stop));
    }

    [Theory]
    [InlineData("R|S|", "Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : Login failed for user 'sa'..", BackupErrorId.WorkloadAccessDenied)]
    [InlineData("R|S|", "Msg 18456, Level 14, State 1, Server sql1, Line 1\nLogin failed for user 'sa'.", BackupErrorId.WorkloadAccessDenied)]
    [InlineData("R|S|", "Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : TCP Provider: Error code 0x2749.", BackupErrorId.WorkloadUnreachable)]
    [InlineData("BACKUP DATABASE", "Msg 3201, Level 16, State 1, Server sql1, Line 1\nCannot open backup device '/x'. Operating system error 5(Access is denied.).\nMsg 3013, Level 16, State 1, Server sql1, Line 1\nBACKUP DATABASE is terminating abnormally.", BackupErrorId.WorkloadFileUnreadable)]
    [InlineData("BACKUP DATABASE", "Msg 262, Level 14, State 1, Server sql1, Line 1\nBACKUP DATABASE permission denied in database 'app'.", BackupErrorId.WorkloadAccessDenied)]
    [InlineData("BACKUP DATABASE", "Msg 3043, Level 16, State 1, Server sql1, Line 1\nBACKUP 'app' detected an error on page (1:5) in file 'a'.", BackupErrorId.WorkloadUnfit)]
    [InlineData("BACKUP LOG", "Msg 4208, Level 16, State 1, Server sql1, Line 1\nThe statement BACKUP LOG is not allowed while the recovery model is SIMPLE.", BackupErrorId.WorkloadCommandFailed)]
    [InlineData("BACKUP LOG", "Msg 4214, Level 16, State 1, Server sql1, Line 1\nBACKUP LOG cannot be performed because there is no current database backup.", BackupErrorId.WorkloadCommandFailed)]
    [InlineData("VERIFYONLY", "", BackupErrorId.WorkloadCommandFailed)]
    public async Task What_sqlcmd_says_is_an_error_of_ours(string statement, string said, BackupErrorId id)
    {
        _sqlcmd.Fail(statement, said);

        BackupException error = await Assert.ThrowsAsync<BackupException>(FirstAsync);

        Assert.Equal(id, error.Id);
        Assert.Contains(said.Split('\n')[^1].Length == 0 ? "it said nothing" : said.Contains("3013", StringComparison.Ordinal) ? "Access is denied" : said.Split('\n')[^1], error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(Logs) ? Directory.GetFiles(Logs, "manifest.json") : []);
    }

    [Fact]
    public async Task What_cannot_be_backed_up_is_told_before_it_begins()
    {
        _sqlcmd.SetDatabases(SqlcmdDouble.Row("app", 5, 4, 1));
        Assert.Equal(BackupErrorId.WorkloadUnfit, (await Assert.ThrowsAsync<BackupException>(DiscoveredAsync)).Id);
        _sqlcmd.SetDatabases(SqlcmdDouble.Row("app", 5, 0, 1));
        _sqlcmd.SetVersion("13.0.1601.5");
        Assert.Equal(BackupErrorId.WorkloadUnfit, (await Assert.ThrowsAsync<BackupException>(DiscoveredAsync)).Id);
        BackupException missing = await Assert.ThrowsAsync<BackupException>(() => new SqlServerWorkload(Settings, new SqlProgram(Settings, [_sqlcmd.Backup])).DiscoverAsync(_stop));
        Assert.Equal(BackupErrorId.WorkloadProgramUnusable, missing.Id);
        Assert.Contains("mssql-tools18", missing.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_no_argument()
    {
        string file = _sqlcmd.PathOf("password-file");
        await File.WriteAllTextAsync(file, "SQLCMDPASSWORD=it's secret\n", _stop);
        WorkloadSettings settings = Settings with { User = "obengine", OptionFile = file };
        settings.Check();

        await new SqlServerWorkload(settings, new SqlProgram(settings, [_sqlcmd.Folder])).DiscoverAsync(_stop);

        Assert.Equal("it's secret", _sqlcmd.Password);
        Assert.Equal(["-U", "obengine", "-Q"], _sqlcmd.Arguments[^3..]);
        await File.WriteAllTextAsync(file, "secret\n", _stop);
        Assert.Equal(BackupErrorId.WorkloadAccessDenied, (await Assert.ThrowsAsync<BackupException>(() => new SqlServerWorkload(settings, new SqlProgram(settings, [_sqlcmd.Folder])).DiscoverAsync(_stop))).Id);
    }

    [Theory]
    [InlineData("app", "N'app'")]
    [InlineData("it's", "N'it''s'")]
    [InlineData("a]b", "N'a]b'")]
    [InlineData("$(x)", "CAST(0x2400280078002900 AS nvarchar(4000))")]
    [InlineData("x'\nGO\n", "")]
    [InlineData("ünï", "")]
    public void A_name_is_a_value_and_never_part_of_a_statement(string name, string literal)
    {
        string written = SqlText.Literal(name);

        Assert.True(literal.Length == 0 || written == literal || written == $"CAST(0x{SqlText.Hex(name)} AS nvarchar(4000))", written);
        Assert.All(written, each => Assert.InRange(each, ' ', '~'));
        Assert.DoesNotContain("$(", written, StringComparison.Ordinal);
        Assert.Equal(name, SqlText.FromHex(SqlText.Hex(name)));
    }

    [Fact]
    public void The_script_recovers_to_a_time_and_leaves_out_what_the_full_backup_has_already()
    {
        SqlManifest full = Manifest(Part("app\n$(x)", 90, 110) with { Files = [new("a'b", "D"), new("log", "L"), new("stream", "S")] }, Part("master", 1, 2) with { IsOfSystem = true });
        SqlManifest logs = Manifest(Part("app\n$(x)", 80, 105), Part("app\n$(x)", 105, 150));
        SqlManifest last = Manifest(Part("app\n$(x)", 150, 200));

        string script = SqlScript.Write(full, [logs, last], new DateTimeOffset(2026, 11, 30, 14, 3, 7, 250, TimeSpan.Zero))!;

        Assert.Equal(2, script.Split("RESTORE LOG @d FROM DISK = @f WITH CHECKSUM, NORECOVERY, STOPAT = '2026-11-30T15:03:07.250';").Length - 1);
        Assert.Contains("RESTORE DATABASE @d FROM DISK = @f WITH CHECKSUM, NORECOVERY, MOVE @l0 TO @p0, MOVE @l1 TO @p1, MOVE @l2 TO @p2;", script, StringComparison.Ordinal);
        Assert.Contains("DECLARE @l0 nvarchar(128) = N'a''b', @p0 nvarchar(4000) = N'$(DataFolder)/", script, StringComparison.Ordinal);
        Assert.EndsWith("RESTORE DATABASE @d WITH RECOVERY;\nGO\n", script, StringComparison.Ordinal);
        Assert.DoesNotContain("$(x)", script, StringComparison.Ordinal);
        Assert.DoesNotContain("REPLACE", script, StringComparison.Ordinal);
        Assert.Single(script.Split('\n'), line => line.StartsWith("IF DB_ID(", StringComparison.Ordinal));
        Assert.DoesNotContain("STOPAT", SqlScript.Write(full, [logs, last], null), StringComparison.Ordinal);

        // A gap, another history, and a piece that lacks the database.
        Assert.Null(SqlScript.Write(full, [logs, Manifest(Part("app\n$(x)", 151, 200))], null));
        Assert.Null(SqlScript.Write(full, [Manifest(Part("app\n$(x)", 111, 150))], null));
        Assert.Null(SqlScript.Write(full, [logs, Manifest(Part("app\n$(x)", 150, 200) with { Fork = "g" })], null));
        Assert.Null(SqlScript.Write(full, [logs, Manifest()], null));
    }

    [Fact]
    public void A_workload_needs_a_server_of_this_machine_and_a_folder()
    {
        Settings.Check();
        (Settings with { Socket = "tcp:127.0.0.1,1433" }).Check();

        Assert.All(
            new[]
            {
                Settings with { Socket = null }, Settings with { Socket = "db.example.org" }, Settings with { Socket = "localhost\n" }, Settings with { Path = "backup" }, Settings with { Path = null }, Settings with { Path = "/" },
                Settings with { Port = 1433 }, Settings with { User = "sa" }, Settings with { OptionFile = "/x" }, Settings with { User = "sa", OptionFile = "x" },
            },
            wrong => Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(wrong.Check).Id));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"from":"a","end":"b","offsetMinutes":0,"parts":[null]}""")]
    [InlineData("""{"from":"a","end":"b","offsetMinutes":0,"parts":[{"database":"a","file":"../a.bak","first":1,"last":2,"fork":"f","isOfSystem":false,"hasLog":true,"files":[]}]}""")]
    public void What_is_no_manifest_is_none(string content) => Assert.Null(SqlManifest.Read(System.Text.Encoding.UTF8.GetBytes(content)));

    [Theory]
    [InlineData("")]
    [InlineData("R|S|16.0|7300|2026-11-30T12:00:00|0\n")]
    [InlineData("R|S|16.0|73|2026-11-30T12:00:00|0\nR|E\n")]
    [InlineData("R|S|16.0|7300|2026-11-30T12:00:00|0\nR|D|6100|5|0|4||\nR|E\n")]
    [InlineData("R|S|16.0|7300|2026-11-30T12:00:00|0\nR|D|6100|5|0|1||x\nR|E\n")]
    public void What_is_no_answer_is_none(string output)
    {
        Assert.False(SqlAnswer.TryReadInstance(output, out _));
        Assert.False(SqlAnswer.TryReadBackup(output, out _));
    }

    private static SqlPart Part(string name, decimal first, decimal last) => new(name, $"d5-{(long)last:x16}.trn", first, last, "f", false, true, []);

    private static SqlManifest Manifest(params SqlPart[] parts) => new("a", "b", 60, parts);

    private SqlServerWorkload Open() => new(Settings, new SqlProgram(Settings, [_sqlcmd.Folder]));

    private async Task<SqlServerWorkload> DiscoveredAsync()
    {
        SqlServerWorkload workload = Open();
        await workload.DiscoverAsync(_stop);
        return workload;
    }

    // A full backup and the log after it, which the vault has not.
    private async Task<string> FirstAsync()
    {
        SqlServerWorkload workload = await DiscoveredAsync();
        string begin = await workload.BeginStreamAsync(_stop);
        await using IWorkloadFull full = await workload.BeginFullAsync(_stop);
        await workload.DiscoverAsync(_stop);
        await workload.ReadLogAsync(begin, _stop);
        return begin;
    }
}
