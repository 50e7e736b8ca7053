using System.Buffers.Binary;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.PostgreSql;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What PostgreSQL and its programs say, and what is said to them. The programs themselves run in a campaign.</summary>
public sealed class PostgreSqlTests
{
    private const uint Segment = 16 << 20;

    [Theory]
    [InlineData("0/0", 0UL)]
    [InlineData("0/1500718", 0x1500718UL)]
    [InlineData("16/B374D848", 0x16B374D848UL)]
    [InlineData("FFFFFFFF/FFFFFFFF", ulong.MaxValue)]
    public void A_position_is_read_and_written(string text, ulong value)
    {
        Assert.True(PgPosition.TryParse(text, out PgPosition position));
        Assert.Equal((value, text), (position.Value, position.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1500718")]
    [InlineData("0/")]
    [InlineData("0/1/2")]
    [InlineData("0/ 1")]
    [InlineData("-1/0")]
    [InlineData("0/100000000")]
    public void What_is_no_position_is_none(string? text) => Assert.False(PgPosition.TryParse(text, out _));

    [Theory]
    [InlineData("0/1000000", "000000010000000000000001")]
    [InlineData("0/1FFFFFF", "000000010000000000000001")]
    [InlineData("0/FF000000", "0000000100000000000000FF")]
    [InlineData("1/0", "000000010000000100000000")]
    [InlineData("16/B374D848", "0000000100000016000000B3")]
    public void Segments_are_named_as_the_server_names_them(string text, string name)
    {
        Assert.True(PgPosition.TryParse(text, out PgPosition position));
        Assert.Equal(name, position.SegmentName(1, Segment));
    }

    [Fact]
    public void Segments_reach_from_the_one_that_holds_the_first_position_up_to_the_last()
    {
        Assert.Equal(["0/FF000000", "1/0", "1/1000000"], PgPosition.Segments(new(0xFF000028), new(0x101000001), Segment).Select(at => at.ToString()));
        Assert.Empty(PgPosition.Segments(new(0x1000000), new(0x1000000), Segment));
        Assert.Equal(new PgPosition(0x2000000), new PgPosition(0x1000001).SegmentEnd(Segment));
        Assert.Equal(new PgPosition(0x2000000), new PgPosition(0x2000000).SegmentEnd(Segment));
    }

    [Theory]
    [InlineData("ERROR:  42501: permission denied for function pg_backup_start\nLOCATION: x", true, BackupErrorId.WorkloadAccessDenied)]
    [InlineData("FEHLER:  53400: alle Replikations-Slots sind in Benutzung", true, BackupErrorId.WorkloadUnfit)]
    [InlineData("ERROR:  42883: function nosuch() does not exist", true, BackupErrorId.WorkloadCommandFailed)]
    [InlineData("psql: error: connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: FATAL:  role \"x\" does not exist", false, BackupErrorId.WorkloadAccessDenied)]
    [InlineData("psql: error: connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: FATAL:  the database system is starting up", false, BackupErrorId.WorkloadUnreachable)]
    [InlineData("psql: error: connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running locally?", false, BackupErrorId.WorkloadUnreachable)]
    [InlineData("pg_receivewal: error: disconnected", true, BackupErrorId.WorkloadCommandFailed)]
    [InlineData("", true, BackupErrorId.WorkloadCommandFailed)]
    public void What_programs_say_becomes_an_error_of_ours(string said, bool isConnected, BackupErrorId id) =>
        Assert.Equal(id, PgErrors.Of("pg1", "psql", said, isConnected).Id);

    [Theory]
    [InlineData("pg_receivewal (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15)]
    [InlineData("psql (PostgreSQL) 17beta1", 17)]
    [InlineData("something else 15", 0)]
    public void A_program_tells_its_version(string output, int major) => Assert.Equal(major, PgPrograms.MajorOf(output));

    [Theory]
    [InlineData(14, "only 14")]
    [InlineData(0, "not on this machine")]
    public async Task A_program_that_is_missing_or_too_old_is_told(int version, string told)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A script stands for the program.");
        using var folder = new TempFolder();
        if (version > 0 && !OperatingSystem.IsWindows())
        {
            await File.WriteAllTextAsync(folder["pg_receivewal"], $"#!/bin/sh\necho 'pg_receivewal (PostgreSQL) {version}.2'\n", TestContext.Current.CancellationToken);
            File.SetUnixFileMode(folder["pg_receivewal"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var programs = new PgPrograms(new WorkloadSettings("pg1", WorkloadKind.PostgreSql, "/run"), [folder.Path]);
        BackupException missing = await Assert.ThrowsAsync<BackupException>(() => programs.FindAsync("pg_receivewal", 15, TestContext.Current.CancellationToken));

        Assert.Equal(BackupErrorId.WorkloadProgramUnusable, missing.Id);
        Assert.Contains(told, missing.Message, StringComparison.Ordinal);
        if (version > 0)
        {
            Assert.Equal(folder["pg_receivewal"], await programs.FindAsync("pg_receivewal", 14, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("2026-11-30 16:23:39.123456+00", 123456)]
    [InlineData("2026-11-30 16:23:39.1+00", 100000)]
    [InlineData("2026-11-30 16:23:39+00", 0)]
    public void A_time_of_the_server_is_read_to_the_microsecond(string text, int microseconds)
    {
        Assert.True(PgServer.TryParseTime(text, out DateTimeOffset time));
        Assert.Equal(new DateTimeOffset(2026, 11, 30, 16, 23, 39, TimeSpan.Zero).AddTicks(microseconds * 10), time);
    }

    [Fact]
    public void The_settings_of_a_recovery_name_nothing_outside_its_folder()
    {
        string settings = PgRecovery.DescribeSettings(new DateTimeOffset(2026, 11, 30, 17, 0, 0, TimeSpan.FromHours(1)).AddTicks(1_234_567));

        Assert.Contains("restore_command = 'cp \"obrecovery_log/%f\" \"%p\"'\n", settings, StringComparison.Ordinal);
        Assert.Contains("recovery_target_time = '2026-11-30 16:00:00.123456+00'\n", settings, StringComparison.Ordinal);
        Assert.Contains("recovery_target_action = 'promote'\n", settings, StringComparison.Ordinal);
        Assert.Contains("archive_mode = off\n", settings, StringComparison.Ordinal);
        Assert.Contains("recovery_target_time = ''\n", PgRecovery.DescribeSettings(null), StringComparison.Ordinal);
        Assert.Equal("'it''s \\\\ here'", PgRecovery.Quote("it's \\ here"));
    }

    [Fact]
    public void Tablespaces_are_read_from_the_servers_map() => Assert.Equal(
        [new PgTablespace(16385, "/srv/a b"), new PgTablespace(16386, "/srv/c")], PgRecovery.ParseMap("16385 /srv/a b\n16386 /srv/c\n"));

    [Fact]
    public void A_log_is_refused_where_a_segment_is_missing_or_is_another()
    {
        using var folder = new TempFolder();
        WorkloadChain chain = Assert.Single(WorkloadChain.Find(
        [
            Full(),
            WorkloadChainTests.Log(2, null, "0/2000000", "0/4000000", 15),
        ]));
        string second = folder["000000010000000000000003"];
        Write(folder["000000010000000000000002"], 0x2000000);
        Write(second, 0x3000000);
        PgRecovery.RequireLog(chain, folder.Path);

        Write(second, 0x5000000);
        Assert.Contains("begins at 0/5000000", Refused(chain, folder.Path), StringComparison.Ordinal);
        Write(second, 0x3000000, system: 2);
        Assert.Contains("another cluster", Refused(chain, folder.Path), StringComparison.Ordinal);
        Write(second, 0x3000000, length: Segment / 2);
        Assert.Contains("bytes", Refused(chain, folder.Path), StringComparison.Ordinal);
        File.Delete(second);
        Assert.Contains("is missing", Refused(chain, folder.Path), StringComparison.Ordinal);
    }

    private static WorkloadLink Full()
    {
        WorkloadLink full = WorkloadChainTests.Full(1, null, "0/2000000", 5);
        return full with { Point = full.Point with { Start = "0/2000028", End = "0/3000100" } };
    }

    private static string Refused(WorkloadChain chain, string folder)
    {
        BackupException refused = Assert.Throws<BackupException>(() => PgRecovery.RequireLog(chain, folder));
        Assert.Equal(BackupErrorId.WorkloadIncomplete, refused.Id);
        return refused.Message;
    }

    // The first page of a segment; the rest is a hole.
    private static void Write(string path, ulong address, ulong system = 1, uint length = Segment)
    {
        byte[] header = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), address);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), system);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(32), Segment);
        using FileStream file = File.Create(path);
        file.Write(header);
        file.SetLength(length);
    }
}
