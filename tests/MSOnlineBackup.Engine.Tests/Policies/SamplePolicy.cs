using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Engine.Tests.Policies;

/// <summary>A policy that both profiles allow, to be changed in one point by a test.</summary>
internal static class SamplePolicy
{
    public static readonly DayOfWeek[] EveryDay = Enum.GetValues<DayOfWeek>();

    public static readonly TimeSpan[] ThreeTimes = [At(8), At(14), At(20)];

    public static BackupPolicy Files { get; } = new()
    {
        Files = [new("/home"), new("*.tmp", Exclude: true)],
        Schedule = new(EveryDay, ThreeTimes),
        Retention = new(
            30,
            new(12, [DayOfWeek.Sunday], [At(20)]),
            new(24, new([0], [], []), []),
            new(10, [1], new([], [DayOfWeek.Sunday], [NthWeek.First]), [At(8)])),
    };

    public static TimeSpan At(int hour, int minute = 0) => new(hour, minute, 0);

    public static BackupPolicy With(params FileSpecification[] files) => Files with { Files = files };
}
