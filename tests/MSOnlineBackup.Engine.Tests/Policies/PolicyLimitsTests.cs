using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class PolicyLimitsTests
{
    private static readonly DaysOfMonth _lastDay = new([0], [], []);

    [Fact]
    public void A_whole_policy_passes_under_both_profiles()
    {
        Assert.Null(Record.Exception(() => PolicyLimits.Mars.Check(Files)));
        Assert.Null(Record.Exception(() => PolicyLimits.Open.Check(Files)));
        Assert.Null(Record.Exception(() => PolicyLimits.Mars.Check(Files with { Kind = PolicyKind.SystemState, Files = [] })));
    }

    [Theory]
    [InlineData("daily", 6, 7, 9_999, 1, 36_159)]
    [InlineData("weekly", 3, 4, 5_163, 1, 5_163)]
    [InlineData("monthly", 2, 3, 1_188, 1, 1_188)]
    [InlineData("yearly", 0, 1, 99, 1, 99)]
    public void A_retention_is_held_to_minimum_and_maximum(string rule, int below, int least, int most, int openLeast, int openMost)
    {
        BackupException failure = Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckRetention(Retention(rule, below)));
        Assert.Equal("0x29834", failure.ErrorCode);
        Assert.Equal($"{rule} retention", failure.Target);
        Assert.Contains($"value is {below}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Mars", failure.Message, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{least} to {most:N0}"), failure.Message, StringComparison.Ordinal);

        Assert.Null(Record.Exception(() => PolicyLimits.Mars.CheckRetention(Retention(rule, least))));
        Assert.Null(Record.Exception(() => PolicyLimits.Mars.CheckRetention(Retention(rule, most))));
        Assert.Null(Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckRetention(Retention(rule, most + 1))).ErrorCode);

        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckRetention(Retention(rule, openLeast))));
        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckRetention(Retention(rule, openMost))));
        Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Open.CheckRetention(Retention(rule, openLeast - 1)));
        Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Open.CheckRetention(Retention(rule, openMost + 1)));
    }

    [Fact]
    public void Four_times_a_day_are_refused_by_Mars_and_not_by_Open()
    {
        var schedule = new BackupSchedule(EveryDay, [At(0), At(6), At(12), At(18)]);

        BackupException failure = Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckSchedule(schedule));

        Assert.Contains("value is 4; the profile Mars allows 1 to 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Open", failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckSchedule(schedule)));
    }

    [Fact]
    public void A_workload_is_whole_again_when_it_says_so_or_else_the_schedule_or_else_after_a_day()
    {
        var silent = new WorkloadSettings("pg1", WorkloadKind.PostgreSql, "/run/postgresql");
        BackupPolicy weekly = Files with { Schedule = Files.Schedule! with { FullEveryMinutes = 7 * 24 * 60 } };

        Assert.Equal(TimeSpan.FromDays(7), weekly.Resolve(silent).FullEvery);
        Assert.Equal(TimeSpan.FromHours(2), weekly.Resolve(silent with { FullEveryMinutes = 120 }).FullEvery);
        Assert.Equal(TimeSpan.FromDays(1), Files.Resolve(silent).FullEvery);
        Fails(BackupErrorId.PolicyInvalid, () => PolicyLimits.Open.Check(Files with { Schedule = Files.Schedule with { FullEveryMinutes = 59 } }));
        Fails(BackupErrorId.PolicyInvalid, () => PolicyLimits.Open.Check(Files with { Schedule = Files.Schedule with { FullEveryMinutes = 525_601 } }));
    }

    [Theory]
    [InlineData(0, false, false)]
    [InlineData(1, true, true)]
    [InlineData(4, true, true)]
    [InlineData(5, false, true)]
    [InlineData(53, false, false)]
    public void Weeks_between_backups_are_limited(int weeks, bool mars, bool open)
    {
        var schedule = new BackupSchedule([DayOfWeek.Sunday], [At(21)], weeks);
        Assert.Equal(mars, Record.Exception(() => PolicyLimits.Mars.CheckSchedule(schedule)) is null);
        Assert.Equal(open, Record.Exception(() => PolicyLimits.Open.CheckSchedule(schedule)) is null);
    }

    [Theory]
    [InlineData(511_999, false)]
    [InlineData(512_000, true)]
    [InlineData(1_023_000_000, true)]
    [InlineData(1_023_000_001, false)]
    public void A_bandwidth_lies_between_512_Kbps_and_1023_Mbps_in_both_profiles(long bits, bool allowed)
    {
        Assert.Equal(allowed, Record.Exception(() => PolicyLimits.Mars.CheckThrottle(bits)) is null);
        Assert.Equal(allowed, Record.Exception(() => PolicyLimits.Open.CheckThrottle(bits)) is null);
    }

    [Fact]
    public void A_machine_has_9999_recovery_points_under_Mars()
    {
        Assert.Null(Record.Exception(() => PolicyLimits.Mars.CheckRecoveryPoints(9_999)));
        Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckRecoveryPoints(10_000));
        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckRecoveryPoints(10_000)));
    }

    [Theory]
    [InlineData(false, 64)]
    [InlineData(true, 448)]
    public void Beside_a_twin_files_have_64_points_and_a_workload_448_under_Mars(bool isWorkload, long most)
    {
        Assert.Null(Record.Exception(() => PolicyLimits.Mars.CheckRecoveryPoints(isWorkload, most)));
        Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckRecoveryPoints(isWorkload, most + 1));
        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckRecoveryPoints(isWorkload, most + 1)));
    }

    [Fact]
    public void A_virtual_machine_has_32_disks_of_32_TiB_and_under_Mars_256_TiB_in_all()
    {
        const long TiB = 1L << 40;
        foreach (PolicyLimits limits in new[] { PolicyLimits.Mars, PolicyLimits.Open })
        {
            Assert.Null(Record.Exception(() => limits.CheckDisks(Disks(32, TiB))));
            Assert.Contains("'disks of a virtual machine' (virtual machine): the value is 33;", Fails(BackupErrorId.PolicyLimitExceeded, () => limits.CheckDisks(Disks(33, 1))).Message, StringComparison.Ordinal);
            Assert.Null(Record.Exception(() => limits.CheckDisks(Disks(8, 32 * TiB))));
            Assert.Contains("32,769", Fails(BackupErrorId.PolicyLimitExceeded, () => limits.CheckDisks(Disks(1, (32 * TiB) + 1))).Message, StringComparison.Ordinal);
        }

        Assert.Contains("the profile Mars allows 0 to 262,144 GiB", Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.CheckDisks([.. Disks(8, 32 * TiB), .. Disks(1, 1)])).Message, StringComparison.Ordinal);
        Assert.Null(Record.Exception(() => PolicyLimits.Open.CheckDisks(Disks(9, 32 * TiB))));

        static MachineDisk[] Disks(int count, long bytes) => [.. Enumerable.Range(0, count).Select(index => new MachineDisk($"vd{index}", $"disks/vd{index}.raw", null, bytes, "raw", null, IsReadOnly: false))];
    }

    [Fact]
    public void Virtual_machines_are_backed_up_twice_a_day_by_schedule_under_Mars()
    {
        BackupPolicy policy = Files with { VirtualMachines = [new("vm1", ["/srv/vda.qcow2"])] };

        Assert.Contains("scheduled backups of a virtual machine", Fails(BackupErrorId.PolicyLimitExceeded, () => PolicyLimits.Mars.Check(policy)).Message, StringComparison.Ordinal);
        PolicyLimits.Mars.Check(policy with { Schedule = new(EveryDay, [At(8), At(20)]), Retention = new(30) });
        PolicyLimits.Open.Check(policy);
    }

    [Fact]
    public void A_virtual_machine_that_contradicts_itself_is_named()
    {
        VirtualMachineSettings running = new("vm1", ["qmp:/run/vm1/qmp.sock"]);
        Check(running);
        Check(running with { AgentSocket = "/run/agent", HasHooks = true, RequiresFreeze = true, Group = "web", Disks = ["vda"], ExcludedDisks = ["vdb"], WorkFolder = "/var/tmp" });
        Contradictory(With(running with { Name = "a/b" }), "'a/b' is no name");
        Contradictory(With(running with { Name = " " }), "is no name");
        Contradictory(With(running with { Addresses = [] }), "cannot be reached");
        Contradictory(With(running with { Addresses = ["qemu:///system"] }), "qemu:///system");
        Contradictory(With(running with { AgentSocket = "agent" }), "'agent' of the virtual machine 'vm1' is not an absolute path");
        Contradictory(With(running with { WorkFolder = "work" }), "'work'");
        Contradictory(With(running with { Group = "web" }), "names no guest agent");
        Contradictory(With(running with { RequiresFreeze = true }), "names no guest agent");
        Contradictory(With(running with { Addresses = ["/srv/vda.raw"], AgentSocket = "/run/agent" }), "is off");
        Contradictory(With(running with { Disks = ["vda"], ExcludedDisks = ["vda"] }), "'vda'");
        Contradictory(With(running with { Disks = [""] }), "has no name");
        Contradictory(With(running, running with { Name = "VM1" }), "twice");
        Contradictory(With(running) with { Workloads = [new WorkloadSettings("vm1", WorkloadKind.PostgreSql, "/run/postgresql")] }, "twice");
        Contradictory(With(running) with { Kind = PolicyKind.SystemState, Files = [] }, "'vm1'");

        static BackupPolicy With(params VirtualMachineSettings[] machines) => Files with { Files = [], VirtualMachines = machines };

        static void Check(VirtualMachineSettings machine) => PolicyLimits.Open.Check(With(machine));
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        Incomplete(Files with { Files = [] }, "nothing to back up");
        Incomplete(Files with { Files = [new("*.tmp", Exclude: true)] }, "nothing to back up");
        Incomplete(Files with { Schedule = null }, "no schedule");
        Incomplete(Files with { Retention = null }, "no retention");
        Incomplete(Files with { Schedule = new([], ThreeTimes) }, "no day");
        Incomplete(Files with { Schedule = new(EveryDay, []) }, "no time");
        Incomplete(Files with { Retention = new(7, new(4, [], [])) }, "weekly retention");
        Incomplete(Files with { Retention = new(7, null, new(3, new([], [], []), [])) }, "monthly retention");
        Incomplete(Files with { Retention = new(7, null, new(3, new([], [DayOfWeek.Monday], []), [])) }, "monthly retention");
        Incomplete(Files with { Retention = new(7, null, null, new(1, [], _lastDay, [])) }, "yearly retention");
    }

    [Fact]
    public void What_contradicts_itself_is_named()
    {
        Contradictory(Files with { Schedule = new(EveryDay, [At(24)]) }, "'1.00:00:00'");
        Contradictory(Files with { Schedule = new(EveryDay, [-At(1)]) }, "'-01:00:00'");
        Contradictory(Files with { Schedule = new(EveryDay, [new TimeSpan(1, 2, 3)]) }, "01:02:03");
        Contradictory(Files with { Schedule = new(EveryDay, [At(1), At(1)]) }, "twice");
        Contradictory(Files with { Schedule = new([DayOfWeek.Monday, DayOfWeek.Monday], ThreeTimes) }, "twice");
        Contradictory(Files with { Schedule = new([(DayOfWeek)7], ThreeTimes) }, "'7'");
        Contradictory(Files with { Retention = new(7, new(4, [DayOfWeek.Monday], [At(9)])) }, "09:00");
        Contradictory(Files with { Schedule = new([DayOfWeek.Sunday], ThreeTimes), Retention = new(7, new(4, [DayOfWeek.Monday], [])) }, "Monday");
        Contradictory(Files with { Retention = new(7, null, new(3, new([32], [], []), [])) }, "'32'");
        Contradictory(Files with { Retention = new(7, null, new(3, new([1], [DayOfWeek.Monday], [NthWeek.First]), [])) }, "both");
        Contradictory(Files with { Retention = new(7, null, new(3, new([], [DayOfWeek.Monday], [0]), [])) }, "'0'");
        Contradictory(Files with { Retention = new(7, null, null, new(1, [13], _lastDay, [])) }, "'13'");
        Contradictory(Files with { Kind = PolicyKind.SystemState }, "/home");
        Contradictory(Files with { Kind = (PolicyKind)9 }, "9");
        Contradictory(With(new("/a"), new("/a/b")), "'/a/b'");
    }

    [Fact]
    public void The_documented_table_is_the_one_that_holds()
    {
        string[] documented =
        [
            .. File.ReadLines(Path.Combine(Repository.Root, "docs", "policies.md"))
                .SkipWhile(line => !line.StartsWith("| Limit ", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')),
        ];

        Assert.Equal(
            PolicyLimits.Table.Select(row =>
                $"| {row.Name} | {row.Place} | {$"{row.Mars} {row.Unit}".TrimEnd()} | {$"{row.Open} {row.Unit}".TrimEnd()} |"),
            documented);
    }

    private static RetentionPolicy Retention(string rule, int value) => rule switch
    {
        "daily" => new(value),
        "weekly" => new(7, new(value, [DayOfWeek.Sunday], [])),
        "monthly" => new(7, null, new(value, _lastDay, [])),
        _ => new(7, null, null, new(value, [12], _lastDay, [])),
    };

    private static void Incomplete(BackupPolicy policy, string named) =>
        Assert.Contains(named, Fails(BackupErrorId.PolicyIncomplete, () => PolicyLimits.Open.Check(policy)).Message, StringComparison.Ordinal);

    private static void Contradictory(BackupPolicy policy, string named) =>
        Assert.Contains(named, Fails(BackupErrorId.PolicyInvalid, () => PolicyLimits.Open.Check(policy)).Message, StringComparison.Ordinal);

    private static BackupException Fails(BackupErrorId id, Action action)
    {
        var failure = Assert.Throws<BackupException>(action);
        Assert.Equal(id, failure.Id);
        return failure;
    }
}
