using System.Text.Json;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>Workloads as they stand in policies and among the tags of recovery points, and what the next backup takes.</summary>
public sealed class WorkloadPointTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 30, 12, 0, 0, 123, 456, TimeSpan.Zero);
    private static readonly WorkloadServer _server = new("1", "1", "l", "15.18", ["postgres"], _now);

    private static WorkloadPoint Point => WorkloadChainTests.Log(7, 6, "0/2000000", "0/4000000", 15).Point with { To = _now.AddMinutes(15).AddTicks(7) };

    [Fact]
    public void A_tag_is_read_as_it_was_written()
    {
        WorkloadPoint full = WorkloadChainTests.Full(3, null, "0/2000028", 5).Point with { Version = "15.18 (Debian 15.18-0+deb12u1)" };

        Assert.Equal(Point, WorkloadPoint.Of(["x", Point.ToString()]));
        Assert.Equal(full, WorkloadPoint.Of([full.ToString()]));
        Assert.StartsWith("workload-log:{\"name\":\"pg1\"", Point.ToString(), StringComparison.Ordinal);
        Assert.InRange(full.ToString().Length, 1, RecoveryPointCodec.MaxTextLength);
    }

    [Theory]
    [InlineData("workload-log:")]
    [InlineData("workload-log:null")]
    [InlineData("workload-log:{}")]
    [InlineData("workload-log:[1]")]
    [InlineData("retain:files:daily:2026-01-01T00:00:00Z")]
    public void What_is_no_such_tag_is_none(string tag) => Assert.Null(WorkloadPoint.Of([tag]));

    [Fact]
    public void A_tag_that_contradicts_itself_is_none()
    {
        Assert.Null(WorkloadPoint.Of([(Point with { LogStart = "0/1000000" }).ToString()]));
        Assert.Null(WorkloadPoint.Of([(Point with { From = Point.To.AddTicks(1) }).ToString()]));
        Assert.Null(WorkloadPoint.Of([Point.ToString().Replace("\"kind\"", "\"further\":1,\"kind\"", StringComparison.Ordinal)]));
        Assert.Null(WorkloadPoint.Of([Point.ToString().Replace("PostgreSql", "Other", StringComparison.Ordinal)]));
    }

    [Fact]
    public void A_full_backup_comes_first_and_again_when_its_time_is_over()
    {
        WorkloadChain chain = Assert.Single(WorkloadChain.Find([WorkloadChainTests.Full(1, null, "A", 5), WorkloadChainTests.Log(2, null, "A", "B", 15)]));
        WorkloadDecision At(TimeSpan age) => WorkloadDecision.Of(chain, _server, null, TimeSpan.FromDays(1), chain.Full.Point.From + age);

        Assert.Equal(new WorkloadDecision(true, false, null), WorkloadDecision.Of(null, _server, null, TimeSpan.FromDays(1), _now));
        Assert.Equal(new WorkloadDecision(false, true, null), At(TimeSpan.FromHours(23)));

        // One that begins a little earlier each day than the day before is not put off by a day.
        Assert.Equal(new WorkloadDecision(true, true, null), At(TimeSpan.FromHours(23.6)));
        Assert.Equal(new WorkloadDecision(true, true, null), At(TimeSpan.FromDays(3)));
    }

    [Fact]
    public void A_gap_and_another_server_begin_a_new_stream()
    {
        WorkloadChain chain = Assert.Single(WorkloadChain.Find([WorkloadChainTests.Full(1, null, "A", 5), WorkloadChainTests.Log(2, null, "A", "B", 15)]));
        WorkloadDecision Of(WorkloadServer server, string? gap = null) => WorkloadDecision.Of(chain, server, gap, TimeSpan.FromDays(1), chain.Full.Point.From);

        Assert.Equal(new WorkloadDecision(true, false, "gone"), Of(_server, "gone"));
        Assert.Contains("another one", Of(_server with { System = "2" }).Gap, StringComparison.Ordinal);
        Assert.Contains("timeline 2", Of(_server with { Timeline = "2" }).Gap, StringComparison.Ordinal);
        Assert.Contains("tablespace", Of(_server with { Layout = "m" }).Gap, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_keeps_its_workloads_as_text()
    {
        BackupPolicy policy = Policies.SamplePolicy.Files with { Files = [], Workloads = [new("pg1", WorkloadKind.PostgreSql, "/run/postgresql", 5433, "backup", 120), new("two", WorkloadKind.PostgreSql, "/run")] };
        string text = PolicyJson.Write(policy);

        PolicyLimits.Open.Check(policy);
        Assert.Equal(policy.Workloads, PolicyJson.Read(text, "text").Workloads);
        using var document = JsonDocument.Parse(text);
        Assert.Equal(
            ["name", "kind", "socket", "port", "user", "fullEveryMinutes"],
            document.RootElement.GetProperty("workloads")[0].EnumerateObject().Select(property => property.Name));
        Assert.DoesNotContain("workloads", PolicyJson.Write(Policies.SamplePolicy.Files), StringComparison.Ordinal);

        // What has its usual value may be left out.
        string brief = text[..text.IndexOf("\"workloads\"", StringComparison.Ordinal)] + """ "workloads": [{ "name": "a", "kind": "postgresql", "socket": "/run" }] }""";
        Assert.Equal([new WorkloadSettings("a", WorkloadKind.PostgreSql, "/run")], PolicyJson.Read(brief, "text").Workloads);
    }

    [Theory]
    [InlineData("", "/run", 5432, 1440)]
    [InlineData("a b", "/run", 5432, 1440)]
    [InlineData("pg1", "run", 5432, 1440)]
    [InlineData("pg1", "/run", 0, 1440)]
    [InlineData("pg1", "/run", 65536, 1440)]
    [InlineData("pg1", "/run", 5432, 59)]
    [InlineData("pg1", "/run", 5432, 525601)]
    public void What_no_server_can_have_is_refused(string name, string socket, int port, int fullEvery) =>
        Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(() => new WorkloadSettings(name, WorkloadKind.PostgreSql, socket, port, null, fullEvery).Check()).Id);

    [Fact]
    public void Two_workloads_do_not_share_a_slot()
    {
        BackupPolicy policy = Policies.SamplePolicy.Files with { Workloads = [new("pg-1", WorkloadKind.PostgreSql, "/a"), new("PG_1", WorkloadKind.PostgreSql, "/b")] };

        Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(() => PolicyLimits.Open.Check(policy)).Id);
    }

    [Fact]
    public void A_time_outside_is_refused_and_the_windows_are_told()
    {
        RecoveryPoint Of(WorkloadLink link) => new()
        {
            SessionId = link.Id, MachineId = MachineId.Parse(new string('1', 32)), MachineName = "m", OperatingSystem = "", AgentVersion = "",
            Started = _now, Ended = _now, Status = RecoveryPointStatus.Completed, Sources = [], Tags = [link.Point.ToString(), WorkloadTags.Database + "app"],
        };
        IReadOnlyList<WorkloadState> states = WorkloadState.Find([Of(WorkloadChainTests.Full(1, null, "A", 5)), Of(WorkloadChainTests.Log(2, null, "A", "B", 15))]);

        Assert.Equal(["app"], Assert.Single(states).Databases);
        Assert.Single(WorkloadState.Choose(states, "PG1", null).Logs);
        BackupException outside = Assert.Throws<BackupException>(() => WorkloadState.Choose(states, "pg1", _now.AddDays(1)));
        Assert.Equal(BackupErrorId.WorkloadTimeOutside, outside.Id);
        Assert.Contains("2026-11-30 12:05:00", outside.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.WorkloadNotFound, Assert.Throws<BackupException>(() => WorkloadState.Choose(states, "pg2", null)).Id);
    }
}
