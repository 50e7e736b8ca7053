using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class PolicyJsonTests
{
    private const string Source = "nightly.json";

    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        BackupPolicy[] policies =
        [
            Files,
            Files with { Id = new Guid("7f2c0f3e-6f0e-4f6f-9a55-0a4f1d7c2b11"), IsPaused = true },
            With(new("C:\\Users\\é \"x\""), new("/a\nb", NonRecursive: true), new("*<>&'\u2028😀", Exclude: true)),
            With() with { VirtualMachines = [new("vm1", ["qmp:/run/vm1/qmp.sock"], "/run/agent", true, true, ["vda"], ["vdb"], "/var/tmp", "web"), new("vm2", ["/srv/vda.qcow2", "/srv/vdb.raw"])] },
            new BackupPolicy { Kind = PolicyKind.SystemState, Schedule = new([DayOfWeek.Friday], [At(23, 59)], 3) },
        ];

        Assert.All(policies, policy => Assert.Equivalent(policy, PolicyJson.Read(PolicyJson.Write(policy), Source), strict: true));
    }

    [Fact]
    public void Any_policy_survives_the_round_trip()
    {
        Gen<DayOfWeek[]> days = Gen.SubListOf<DayOfWeek>(EveryDay).Select(list => list.ToArray());
        Gen<TimeSpan[]> times = Gen.Choose(0, 1_439).Select(minute => TimeSpan.FromMinutes(minute)).ArrayOf();
        Gen<DaysOfMonth> when =
            from numbers in Gen.Choose(0, 31).ArrayOf()
            from ofWeek in days
            from weeks in Gen.SubListOf(Enum.GetValues<NthWeek>())
            select new DaysOfMonth(numbers, ofWeek, [.. weeks]);
        Gen<BackupPolicy> policies =
            from onDays in days
            from at in times
            from number in Gen.Choose(int.MinValue, int.MaxValue)
            from inMonth in when
            from which in Gen.Choose(0, 7)
            select new BackupPolicy
            {
                Files = [new($"/{number}", which > 3, which % 2 == 0)],
                Schedule = which == 7 ? null : new(onDays, at, number),
                Retention = new(
                    number,
                    (which & 1) == 0 ? null : new(number, onDays, at),
                    (which & 2) == 0 ? null : new(number, inMonth, at),
                    (which & 4) == 0 ? null : new(number, inMonth.Numbers, inMonth, at)),
            };

        Prop.ForAll(
            policies.ToArbitrary(),
            policy => Assert.Equivalent(policy, PolicyJson.Read(PolicyJson.Write(policy), Source), strict: true)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Truncated_text_is_refused_wherever_it_ends()
    {
        string whole = PolicyJson.Write(Files).TrimEnd();
        Assert.All(Enumerable.Range(0, whole.Length), length => Refused(whole[..length]));
    }

    [Fact]
    public void A_newer_version_is_refused_as_such_whatever_else_it_holds()
    {
        BackupException failure = Refused("""{ "version": 2, "novelty": [1] }""");
        Assert.Contains("version 2", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData("""{"version":0}""")]
    [InlineData("""{"version":"1"}""")]
    [InlineData("""{"version":1}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":null}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[null]}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[{"path":null}]}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[{}]}""")]
    [InlineData("""{"version":1,"kind":0,"paused":false,"files":[]}""")]
    [InlineData("""{"version":1,"kind":"Discs","paused":false,"files":[]}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"files":[]}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"retension":{"days":7}}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"schedule":{"days":["Sunday"]}}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"schedule":{"days":[0],"times":["21:00"]}}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"schedule":{"days":["Sunday"],"times":["24:00"]}}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"schedule":{"days":["Sunday"],"times":["9:00"]}}""")]
    [InlineData("""{"version":1,"kind":"Files","paused":false,"files":[],"schedule":{"days":["Sunday"],"times":[null]}}""")]
    public void What_is_no_policy_is_refused(string json) => Refused(json);

    [Fact]
    public void The_place_of_the_fault_is_named()
    {
        BackupException failure = Refused(PolicyJson.Write(Files).Replace("\"14:00\"", "\"14 h\"", StringComparison.Ordinal));
        Assert.StartsWith($"{Source}, line ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("HH:mm", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Times_days_and_weeks_are_words()
    {
        JsonNode json = JsonNode.Parse(PolicyJson.Write(Files))!;
        Assert.Equal("08:00", (string?)json["schedule"]!["times"]![0]);
        Assert.Equal("Sunday", (string?)json["retention"]!["weekly"]!["days"]![0]);
        Assert.Equal("First", (string?)json["retention"]!["yearly"]!["when"]!["weeks"]![0]);
    }

    [Fact]
    public void The_documented_example_is_a_policy()
    {
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "policies.md"));
        BackupPolicy policy = PolicyJson.Read(document.Split("```json")[1].Split("```")[0], Source);
        PolicyLimits.Mars.CheckRetention(policy.Retention!);
        Assert.Equal([DayOfWeek.Monday, DayOfWeek.Sunday], policy.Schedule!.Days);
    }

    private static BackupException Refused(string json)
    {
        var failure = Assert.Throws<BackupException>(() => PolicyJson.Read(json, Source));
        Assert.Equal(BackupErrorId.PolicyFileInvalid, failure.Id);
        Assert.Equal(Source, failure.Target);
        Assert.Contains(Source, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
