using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Tests.Copies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;
using static MSOnlineBackup.Engine.Tests.Retention.Simulation;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>What a copy keeps is decided by its own retention, and never by that of the vault.</summary>
public sealed class CopyRetentionTests : IDisposable
{
    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task What_the_vault_has_ended_stays_in_a_copy_that_keeps_it_longer()
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(5);
        Assert.Equal(5, (await CopyAsync(new RetentionPolicy(30))).PointsCopied);
        await _vaults.EndAsync(_vaults.Source.Objects, points[0]);
        await _vaults.EndAsync(_vaults.Source.Objects, points[1]);

        VaultCopyReport later = await CopyAsync(new RetentionPolicy(30));

        Assert.Equal((0, 3, 0, 0), (later.PointsCopied, later.PointsThere, later.PointsSpared, later.PointsExpired));
        Assert.Equal(Ids(points), await _vaults.ListAsync(_vaults.Twin));
    }

    [Fact]
    public async Task What_the_copy_has_ended_is_not_copied_again_also_when_it_is_gone_for_good()
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(4);
        await CopyAsync(new RetentionPolicy(30));
        await NextDaysAsync(6);

        // The copy has had these for six days, and a new one comes.
        points.AddRange(await BackUpDaysAsync(1));
        VaultCopyReport shorter = await CopyAsync(new RetentionPolicy(5));
        Assert.Equal((1, 4), (shorter.PointsCopied, shorter.PointsExpired));
        Assert.Equal(Ids([points[4]]), await _vaults.ListAsync(_vaults.Twin));
        Assert.Equal(Ids(points), await _vaults.ListAsync(_vaults.Source.Objects));

        string[] before = [.. _vaults.Twin.Names];
        VaultCopyReport again = await CopyAsync(new RetentionPolicy(5));
        Assert.Equal((0, 0, 0L, 5), (again.PointsCopied, again.PointsExpired, again.StoredBytes, again.PointsThere));
        Assert.Equal(before, _vaults.Twin.Names);

        // The undelete time is over, and maintenance has freed what they needed.
        await NextDaysAsync(20);
        await _vaults.MaintainAsync(_vaults.Twin);
        await NextDaysAsync(2);
        await _vaults.MaintainAsync(_vaults.Twin);
        VaultCopyReport gone = await CopyAsync(new RetentionPolicy(5));
        Assert.Equal((0, 0, 0L), (gone.PointsCopied, gone.PointsExpired, gone.StoredBytes));
        Assert.Equal(Ids([points[4]]), await _vaults.ListAsync(_vaults.Twin));
        await _vaults.AssertHoldsAsync(_vaults.Twin, points[4]);
    }

    [Fact]
    public async Task What_the_copy_would_let_go_of_at_once_is_not_copied_and_an_unchanged_second_run_does_nothing()
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(20);
        var retention = new RetentionPolicy(3, new WeeklyRetention(4, [DayOfWeek.Sunday], []));

        VaultCopyReport foreseen = await CopyAsync(retention, rehearses: true);
        VaultCopyReport first = await CopyAsync(retention);
        string[] before = [.. _vaults.Twin.Names];
        VaultCopyReport second = await CopyAsync(retention);

        // The last three days; the Sundays; and the oldest, which stands for its week.
        List<RecoveryPoint> kept = [.. points.Where((point, day) => day == 0 || day >= 17 || point.Started.DayOfWeek == DayOfWeek.Sunday)];
        Assert.Equal((kept.Count, 20 - kept.Count), (first.PointsCopied, first.PointsSpared));
        Assert.Equal((first.PointsCopied, first.PointsSpared, true), (foreseen.PointsCopied, foreseen.PointsSpared, foreseen.IsRehearsal));
        Assert.Equal(Ids(kept), await _vaults.ListAsync(_vaults.Twin));
        Assert.Equal((0, kept.Count, 0L, 0), (second.PointsCopied, second.PointsThere, second.StoredBytes, second.PointsExpired));
        Assert.Equal(before, _vaults.Twin.Names);

        // Every day a copy: the weeks stay as long as they are to, however the points between them go.
        for (int day = 0; day < 14; day++)
        {
            points.AddRange(await BackUpDaysAsync(1));
            await CopyAsync(retention);
        }

        DateTimeOffset now = _vaults.Source.Clock.GetUtcNow();
        IEnumerable<RecoveryPoint> sundays = points.Where(point => point.Started.DayOfWeek == DayOfWeek.Sunday && now - point.Started < TimeSpan.FromDays(28));
        Assert.Empty(Ids(sundays).Except(await _vaults.ListAsync(_vaults.Twin)));
    }

    [Fact]
    public async Task Points_that_are_named_are_copied_whatever_the_retention_says()
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(6);
        Assert.Equal(4, (await CopyAsync(new RetentionPolicy(2))).PointsSpared);
        Assert.Equal(1, (await CopyAsync(new RetentionPolicy(2), points: [points[0].SessionId])).PointsCopied);
        Assert.Contains(points[0].SessionId.ToString(), await _vaults.ListAsync(_vaults.Twin));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_owner_of_the_copy_asks_for_consent_what_goes_before_its_time_stays_until_then(bool asksForConsent)
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(3, ["retain:files:daily:2099-01-01T00:00:00Z"]);
        await CopyAsync(new RetentionPolicy(30));
        await TestVault.ChangeSettingsAsync(_vaults.Twin, _vaults.Source.Backups.Owner.Key, settings => settings with { RequiresPin = asksForConsent }, Cancel);
        await NextDaysAsync(4);
        await BackUpDaysAsync(1);

        Assert.Equal(3, (await CopyAsync(new RetentionPolicy(2))).PointsExpired);

        await NextDaysAsync(20);
        await _vaults.MaintainAsync(_vaults.Twin);
        await NextDaysAsync(2);
        await _vaults.MaintainAsync(_vaults.Twin);
        using UnlockedVault twin = await _vaults.Source.Backups.OpenAsync(_vaults.Twin);
        Assert.Equal(asksForConsent ? Ids(points) : [], (await twin.Deletions.ListAsync(null, Cancel)).Select(point => point.SessionId.ToString()).Order());
    }

    [Fact]
    public async Task An_immutable_copy_lets_go_of_nothing_that_is_too_young()
    {
        await _vaults.CreateAsync();
        List<RecoveryPoint> points = await BackUpDaysAsync(3);
        await CopyAsync(new RetentionPolicy(30));
        await TestVault.ChangeSettingsAsync(
            _vaults.Twin, _vaults.Source.Backups.Owner.Key, settings => settings with { Immutability = VaultImmutability.On, ImmutableDays = 30 }, Cancel);
        await NextDaysAsync(4);

        Assert.Equal(0, (await CopyAsync(new RetentionPolicy(1))).PointsExpired);
        Assert.Equal(Ids(points), await _vaults.ListAsync(_vaults.Twin));
    }

    [Fact]
    public void The_tags_of_the_vault_do_not_count_but_wishes_and_partial_points_do()
    {
        var policy = new BackupPolicy { Retention = new RetentionPolicy(10, new WeeklyRetention(8, [DayOfWeek.Wednesday], [])) };
        var simulation = new Simulation(policy);
        for (DateTimeOffset day = At("2024-01-01T20:00:00"); day < At("2024-01-29T00:00:00"); day = day.AddDays(1))
        {
            simulation.Run(day, isPartial: day.Day == 9, retainUntil: day.Day == 10 ? At("2030-01-01T00:00:00") : null);
        }

        IReadOnlyList<RetentionPoint> seen = CopiedPointTags.Of(
            new RetentionPolicy(10, null, new MonthlyRetention(12, new DaysOfMonth([15], [], []), [])), simulation.Points, TimeZoneInfo.Utc);

        Assert.Equal(["2024-01-01T20:00:00", "2024-01-15T20:00:00"], seen.Where(point => Kinds(point).Contains(RetentionKind.Monthly)).Select(Name));
        Assert.DoesNotContain(seen, point => Kinds(point).Contains(RetentionKind.Weekly));
        Assert.Equal(["2024-01-09T20:00:00"], seen.Where(point => Kinds(point).Contains(RetentionKind.Partial)).Select(Name));
        Assert.Equal(["2024-01-10T20:00:00"], seen.Where(point => Kinds(point).Contains(RetentionKind.Asked)).Select(Name));
    }

    [Fact]
    public void Points_of_no_policy_count_as_files_and_tags_of_a_newer_version_stay_what_they_are()
    {
        RetentionPoint bare = new(IdOf(At("2024-01-01T20:00:00")), At("2024-01-01T20:00:00"), At("2024-01-01T20:00:00"), ["mine"]);
        RetentionPoint strange = bare with { Id = IdOf(At("2024-01-02T20:00:00")), Started = At("2024-01-02T20:00:00"), Tags = ["retain:files:eternal:2030-01-01T00:00:00Z"] };

        IReadOnlyList<RetentionPoint> seen = CopiedPointTags.Of(new RetentionPolicy(10), [strange, bare], TimeZoneInfo.Utc);

        Assert.Equal([RetentionKind.Daily], Kinds(seen[0]));
        Assert.Same(strange, seen[1]);
    }

    private async Task<List<RecoveryPoint>> BackUpDaysAsync(int days, IReadOnlyList<string>? tags = null)
    {
        var points = new List<RecoveryPoint>();
        for (int day = 0; day < days; day++)
        {
            await NextDaysAsync(1);
            points.Add(await _vaults.Source.BackUpAsync([day, day + 1], tags: tags));
        }

        return points;
    }

    private Task NextDaysAsync(int days)
    {
        _vaults.Source.Clock.Advance(TimeSpan.FromDays(days));
        return Task.CompletedTask;
    }

    private async Task<VaultCopyReport> CopyAsync(RetentionPolicy retention, bool rehearses = false, SessionId[]? points = null)
    {
        using UnlockedVault vault = await _vaults.Source.Backups.OpenAsync(_vaults.Source.Objects);
        using UnlockedVault twin = await _vaults.Source.Backups.OpenAsync(_vaults.Twin);
        var request = new VaultCopyRequest { IsRehearsal = rehearses, Points = points?.ToHashSet() };
        return await new CopyRetention(retention, _vaults.Source.Clock).CopyAsync(vault, twin, request, new JobMonitor(), Cancel);
    }

    private static IEnumerable<string> Ids(IEnumerable<RecoveryPoint> points) => points.Select(point => point.SessionId.ToString()).Order();
}
