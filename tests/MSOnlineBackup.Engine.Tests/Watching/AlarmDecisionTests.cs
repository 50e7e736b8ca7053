using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Vaults.Compliance;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Watching;

/// <summary>What a place is told after a look: a pure function of what it was told before.</summary>
public sealed class AlarmDecisionTests
{
    private static readonly DateTimeOffset _start = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly AlarmSettings _settings = new() { Sinks = [], HeartbeatHours = 0 };

    private ToldSink _told = ToldSink.Nothing;

    [Fact]
    public void An_alarm_is_told_once_again_when_it_changes_and_after_a_day_and_resolved_once()
    {
        Assert.Equal(["Raised Late: ALPHA (files)"], Look(0, Item(ComplianceState.Late)));
        Assert.Empty(Look(1, Item(ComplianceState.Late)));
        Assert.Equal(["Raised Failing: ALPHA (files)"], Look(2, Item(ComplianceState.Failing)));
        Assert.Empty(Look(25.9, Item(ComplianceState.Failing)));
        Assert.Equal(["Raised Still Failing: ALPHA (files)"], Look(26, Item(ComplianceState.Failing)));
        Assert.Equal(["Resolved OK: ALPHA (files)"], Look(27, Item(ComplianceState.Ok)));
        Assert.Empty(Look(28, Item(ComplianceState.Ok)));
    }

    [Fact]
    public void Of_what_is_not_known_nothing_is_told_and_what_is_watched_no_more_is_resolved()
    {
        Look(0, Item(ComplianceState.Late));

        Assert.Empty(Look(1, isWhole: false));
        Assert.Equal(["Resolved No longer watched: ALPHA (files)"], Look(2));
        Assert.Empty(Look(3));
    }

    [Fact]
    public void The_watcher_says_at_once_and_then_each_week_that_it_lives()
    {
        AlarmSettings settings = _settings with { HeartbeatHours = 168 };

        Assert.Equal(["Heartbeat The backup watcher lives"], Look(0, settings: settings));
        Assert.Empty(Look(167.9, settings: settings));
        Assert.Equal(["Heartbeat The backup watcher lives"], Look(168, settings: settings));
    }

    [Fact]
    public void Backups_that_came_are_told_once_where_that_was_asked_for()
    {
        WatchedItem Came(double hours) => Item(ComplianceState.Ok, _start.AddHours(hours));

        Assert.Equal(["Report Backed up: ALPHA (files)"], Look(1, Came(0), reports: true));
        Assert.Empty(Look(2, Came(0), reports: true));
        Assert.Equal(["Report Backed up: ALPHA (files)"], Look(25, Came(24), reports: true));
        Assert.Empty(Look(49, Came(48), reports: false));
        Assert.Empty(Look(50, Came(48), reports: true));
    }

    [Fact]
    public void What_was_not_delivered_is_told_again()
    {
        ToldSink before = _told;
        Assert.Single(Look(0, Item(ComplianceState.Late)));
        _told = before;

        Assert.Equal(["Raised Late: ALPHA (files)"], Look(1, Item(ComplianceState.Late)));
    }

    private static WatchedItem Item(ComplianceState state, DateTimeOffset? success = null) =>
        WatchedItem.Of(new PolicyCompliance("ALPHA", "files", state, "A message.", "Advice.") { LastSuccess = success });

    private string[] Look(double hours, WatchedItem? item = null, bool isWhole = true, bool reports = false, AlarmSettings? settings = null)
    {
        (IReadOnlyList<AlarmMessage> messages, _told) = AlarmDecision.Of(_told, item is null ? [] : [item], isWhole, "/vault", _start.AddHours(hours), settings ?? _settings, reports);
        return [.. messages.Select(message => $"{message.Kind} {message.Subject}")];
    }
}
