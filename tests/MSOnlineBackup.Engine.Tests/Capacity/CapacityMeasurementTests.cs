using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Capacity;

/// <summary>What recovery points say of how their machines change.</summary>
public sealed class CapacityMeasurementTests
{
    private static readonly DateTimeOffset _start = new(2024, 2, 29, 21, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_newest_points_are_what_is_protected_and_the_others_say_what_a_day_brings()
    {
        CapacityMeasurement measured = CapacityMeasurement.Of(
            [
                Point('a', "files", 0, 900, 900, 450), Point('a', "files", 1, 950, 100, 50), Point('a', "files", 2, 1000, 100, 50),
                Point('b', "files", 0, 3000, 3000, 1500), Point('b', "files", 2, 3000, 400, 200),
            ],
            5000,
            700,
            _start.AddDays(2.5));

        // 100 and 200 a day, of 4,000.
        Assert.Equal(new CapacityMeasurement(4000, 0.075, 2, 5000, 2, 700), measured);
    }

    [Fact]
    public void The_policies_of_a_machine_are_protected_both()
    {
        CapacityMeasurement measured = CapacityMeasurement.Of([Point('a', "files", 0, 100, 100, 100), Point('a', "system-state", 1, 50, 50, 50)], 0, null, _start.AddDays(1));

        Assert.Equal((150, null, 1.0), (measured.ProtectedBytes, measured.DailyChange, measured.ReductionRatio));
    }

    [Fact]
    public void No_point_says_nothing() =>
        Assert.Equal(new CapacityMeasurement(null, null, null, 12, 0, 34), CapacityMeasurement.Of([], 12, 34, _start));

    [Fact]
    public void Two_points_within_an_hour_say_nothing_of_a_day() =>
        Assert.Null(CapacityMeasurement.Of([Point('a', "files", 0, 1, 1, 1), Point('a', "files", 0.04, 1, 1, 1)], 0, null, _start.AddDays(1)).DailyChange);

    [Fact]
    public void More_than_all_does_not_change_in_a_day() =>
        Assert.Equal(1, CapacityMeasurement.Of([Point('a', "files", 0, 10, 10, 10), Point('a', "files", 1, 10, 90, 9)], 0, null, _start.AddDays(1)).DailyChange);

    private static RecoveryPoint Point(char machine, string policy, double day, long bytes, long newBytes, long stored) => new()
    {
        SessionId = SessionId.Parse(new string('5', 32)),
        MachineId = MachineId.Parse(new string(machine, 32)),
        MachineName = "m",
        OperatingSystem = "os",
        AgentVersion = "1",
        Started = DateTimeOffset.UnixEpoch,
        Ended = DateTimeOffset.UnixEpoch,
        Created = _start.AddDays(day),
        Status = RecoveryPointStatus.Completed,
        Tags = [$"retain:{policy}:daily:2024-06-01T00:00:00Z"],
        Sources = [new RecoveryPointSource { Path = "/", Manifest = new ManifestRoot(default(ChunkId), 0, 3, 2, 1, bytes) }],
        NewBytes = newBytes,
        StoredBytes = stored,
    };
}
