using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.Sqlite;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What SQLite's program says, and workloads whose backups stand alone. The program itself runs in a campaign.</summary>
public sealed class SqliteTests
{
    private static readonly DateTimeOffset _noon = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("Error: near line 3: file is not a database (26)", BackupErrorId.WorkloadUnfit)]
    [InlineData("Error: unable to open database \"/srv/app.db\": unable to open database file", BackupErrorId.WorkloadFileUnreadable)]
    [InlineData("Runtime error near line 2: database is locked (5)", BackupErrorId.WorkloadCommandFailed)]
    [InlineData("", BackupErrorId.WorkloadCommandFailed)]
    public void What_the_program_says_is_an_error_of_ours(string said, BackupErrorId id) => Assert.Equal(id, new SqliteProgram("app").ErrorOf("/srv/app.db", said).Id);

    [Theory]
    [InlineData("/srv/app.db", "\"/srv/app.db\"")]
    [InlineData("/srv/a \"b\" c\\d's.db", "\"/srv/a \\\"b\\\" c\\\\d's.db\"")]
    public void A_path_is_written_as_the_program_reads_it(string path, string quoted) => Assert.Equal(quoted, SqliteProgram.Quote(path));

    [Fact]
    public void Each_backup_is_a_moment_and_holds_until_the_next_one()
    {
        IReadOnlyList<WorkloadChain> chains = WorkloadChain.Find([Full(1, 0), Full(2, 15), Full(3, 30)]);

        Assert.Equal([_noon, _noon.AddMinutes(15), _noon.AddMinutes(30)], WorkloadChain.WindowsOf(chains).Select(window => window.From));
        Assert.All(WorkloadChain.WindowsOf(chains), window => Assert.Equal(window.From, window.To));
        Assert.Equal(chains[0].Full, WorkloadChain.Choose(chains, _noon.AddMinutes(14))!.Full);
        Assert.Equal(chains[1].Full, WorkloadChain.Choose(chains, _noon.AddMinutes(15))!.Full);
        Assert.Equal(chains[2].Full, WorkloadChain.Choose(chains, _noon.AddDays(9))!.Full);
        Assert.Equal(chains[2].Full, WorkloadChain.Choose(chains, null)!.Full);
        Assert.Null(WorkloadChain.Choose(chains, _noon.AddTicks(-1)));
        Assert.Empty(WorkloadChain.NeededBy([Full(1, 0), Full(2, 15)], new HashSet<SessionId> { Id(2) }));
    }

    [Fact]
    public void A_workload_needs_its_file_and_nothing_else()
    {
        var settings = new WorkloadSettings("app", WorkloadKind.Sqlite, Path: "/srv/app.db");
        settings.Check();

        Assert.All(
            new[] { settings with { Path = "app.db" }, settings with { Path = null }, settings with { Socket = "/run/x" }, settings with { Port = 1 }, settings with { User = "x" } },
            wrong => Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(wrong.Check).Id));
        Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(() => new WorkloadSettings("m", WorkloadKind.MariaDb, "/s", Path: "/x").Check()).Id);
    }

    private static SessionId Id(int number) => SessionId.Parse($"0193a0000000700080000000000000{number:x2}");

    private static WorkloadLink Full(int number, int minutes) => new(Id(number), new WorkloadPoint
    {
        Name = "app", Kind = WorkloadKind.Sqlite, IsFull = true, Stream = $"{number}", System = "sqlite", Timeline = "", Layout = "l", Start = "", End = "", LogStart = "",
        From = _noon.AddMinutes(minutes).AddSeconds(-1), To = _noon.AddMinutes(minutes),
    });
}
