using MSOnlineBackup.Agent.VaultReports;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultReports;

/// <summary>Whether recovery points came as often as they should: a pure function.</summary>
public sealed class RecoveryObjectiveTests
{
    private static readonly DateTimeOffset _now = SampleReport.At;

    [Theory]
    [InlineData(new double[] { 96, 72, 48, 24 }, 96, 1.0, 0, 24)]
    [InlineData(new double[] { 24, 96, 48, 72 }, 96, 1.0, 0, 24)]
    [InlineData(new double[] { 96, 48 }, 96, 0.5, 2, 48)]
    [InlineData(new double[] { 48 }, 960, 0.5, 1, 48)]
    [InlineData(new double[] { 36, 6 }, 24, 0.75, 1, 30)]
    [InlineData(new double[] { 1000, 12 }, 24, 0.5, 1, 988)]
    [InlineData(new double[] { 1000, 900 }, 100, 0.0, 1, 900)]
    public void The_objective_is_met_while_the_newest_point_is_young_enough(double[] hoursAgo, double window, double met, int missed, double longest)
    {
        ObjectiveResult found = RecoveryObjective.Of(hoursAgo.Select(hours => _now.AddHours(-hours)), TimeSpan.FromHours(24), _now.AddHours(-window), _now)!;

        Assert.Equal(met, found.MetShare, 10);
        Assert.Equal((missed, longest), (found.Missed, found.LongestHours));
    }

    [Fact]
    public void Without_a_point_there_is_nothing_to_meet()
    {
        Assert.Null(RecoveryObjective.Of([], TimeSpan.FromHours(24), _now.AddDays(-30), _now));
        Assert.Null(RecoveryObjective.Of([_now.AddDays(1)], TimeSpan.FromHours(24), _now.AddDays(-30), _now));
    }
}
