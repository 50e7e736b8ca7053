using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Tests.Policies;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>The tags of a new point are found from the newest points, however many there are.</summary>
public sealed class TagsFromHistoryTests
{
    private static readonly DateTimeOffset _now = new(2027, 3, 1, 20, 0, 0, TimeSpan.Zero);
    private int _read;

    [Fact]
    public async Task Of_thousands_of_points_a_few_are_read()
    {
        IReadOnlyList<string> tags = await FindAsync(Enumerable.Range(1, 5000).Select(hours => Point(_now.AddHours(-8 * hours), RetentionKind.Daily)));

        Assert.Equal([RetentionKind.Daily], Kinds(tags));
        Assert.InRange(_read, 1, 100);
    }

    [Fact]
    public async Task Points_of_another_policy_are_passed_over_however_many_there_are()
    {
        IReadOnlyList<string> tags = await FindAsync(
            Enumerable.Range(1, 500).Select(hour => Point(_now.AddMinutes(-hour), RetentionKind.Daily, PolicyKind.SystemState)).Append(
                Point(_now.AddHours(-6), RetentionKind.Daily)));

        Assert.Equal([RetentionKind.Daily], Kinds(tags));
        Assert.Equal(501, _read);
    }

    [Fact]
    public async Task A_clock_that_fell_back_for_the_last_backup_makes_no_weeks_due_again()
    {
        IReadOnlyList<string> tags = await FindAsync([Point(_now.AddYears(-20), RetentionKind.Daily), Point(_now.AddHours(-6), RetentionKind.Daily)]);

        Assert.Equal([RetentionKind.Daily], Kinds(tags));
    }

    private static IEnumerable<RetentionKind> Kinds(IReadOnlyList<string> tags) =>
        tags.Select(tag => RetentionTag.TryParse(tag, out RetentionTag? read) ? read.Kind : throw new FormatException(tag));

    private static RecoveryPoint Point(DateTimeOffset started, RetentionKind kind, PolicyKind policy = PolicyKind.Files) => new()
    {
        SessionId = SessionId.Create(started, highest: null),
        MachineId = MachineId.Parse(new string('a', 32)),
        MachineName = "m",
        OperatingSystem = "none",
        AgentVersion = "1",
        Started = started,
        Ended = started,
        Status = RecoveryPointStatus.Completed,
        Tags = [new RetentionTag(policy, kind, started.AddDays(30)).ToString()],
        Sources = [],
    };

    private Task<IReadOnlyList<string>> FindAsync(IEnumerable<RecoveryPoint> newestFirst) =>
        RetentionHistory.FindTagsAsync(
            SamplePolicy.Files, new RetentionRun(_now, TimeZoneInfo.Utc), ReadAsync(newestFirst), TestContext.Current.CancellationToken);

    private async IAsyncEnumerable<RecoveryPoint> ReadAsync(IEnumerable<RecoveryPoint> points)
    {
        foreach (RecoveryPoint point in points)
        {
            _read++;
            yield return point;
            await Task.Yield();
        }
    }
}
