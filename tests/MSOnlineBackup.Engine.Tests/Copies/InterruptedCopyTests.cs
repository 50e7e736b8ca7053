using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>A copy that is killed, stands still, or has others beside it: what is in the twin is whole at every moment that anybody can see, and the next copy does the rest.</summary>
public sealed class InterruptedCopyTests : IDisposable
{
    // With OB_CAMPAIGN each call is tried; where somebody waits, every third, from another one each time.
    private static readonly int _step = Campaign.IsBrief ? 3 : 1;

    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Theory]
    [InlineData(true, FaultTiming.BeforeEffect)]
    [InlineData(true, FaultTiming.AfterEffect)]
    [InlineData(false, FaultTiming.BeforeEffect)]
    [InlineData(false, FaultTiming.AfterEffect)]
    public async Task Killed_at_any_call_to_either_place_it_leaves_whole_points_and_is_continued(bool isTwin, FaultTiming timing)
    {
        await _vaults.CreateAsync();
        RecoveryPoint earlier = await _vaults.Source.BackUpAsync([1, 2]);
        await _vaults.CopyAsync();
        RecoveryPoint[] points = [earlier, await _vaults.Source.BackUpAsync([2, 3]), await _vaults.Source.BackUpAsync([4], machine: "Other")];
        bool wasDone = false;
        int at = Random.Shared.Next(_step);
        for (; !wasDone; at += _step)
        {
            MemoryVaultStore source = _vaults.Source.Objects.Clone();
            MemoryVaultStore twin = _vaults.Twin.Clone();
            var faulty = new FaultyVaultStore(isTwin ? twin : source) { FailAt = at + 1, Timing = timing, Kind = FaultKind.ForGood };
            try
            {
                await _vaults.CopyAsync(isTwin ? source : faulty, isTwin ? faulty : twin);
                wasDone = true;
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
            {
                HashSet<string> there = [.. await _vaults.ListAsync(twin)];
                await _vaults.AssertHoldsAsync(twin, [.. points.Where(point => there.Contains($"{point.SessionId}"))]);
                await _vaults.CopyAsync(source, twin);
            }

            await _vaults.AssertHoldsAsync(twin, points);
            Assert.Equal(
                TwinnedVault.Names(_vaults.Source.Objects, StoredKind.Commit).Order(StringComparer.Ordinal), TwinnedVault.Names(twin, StoredKind.Commit).Order(StringComparer.Ordinal));
        }

        Assert.True(at > 20, $"It was killed at {at} calls only.");
    }

    [Fact]
    public async Task What_a_killed_copy_has_sent_is_not_sent_again()
    {
        await _vaults.CreateAsync();
        await _vaults.Source.BackUpAsync([1, 2, 3]);
        var dying = new FaultyVaultStore(_vaults.Twin)
        {
            FailAt = 1,
            Kind = FaultKind.ForGood,
            Counts = (call, name) => call == VaultCall.Create && (name.Contains("/index/", StringComparison.Ordinal) || name.EndsWith(".end", StringComparison.Ordinal)),
        };
        await Assert.ThrowsAsync<BackupException>(() => _vaults.CopyAsync(to: dying));
        int packs = TwinnedVault.Names(_vaults.Twin, StoredKind.Pack).Count;
        Assert.NotEqual(0, packs);

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal((1, 0L, packs), (report.PointsCopied, report.Chunks, TwinnedVault.Names(_vaults.Twin, StoredKind.Pack).Count));
        await _vaults.AssertHoldsAsync(_vaults.Twin, _vaults.Source.Points.Single());
    }

    [Theory]
    [InlineData(25 * 60, false)]
    [InlineData(25 * 60, true)]
    [InlineData(1, true)]
    [InlineData(1, true, 2)]
    [InlineData(1, true, 3)]
    public async Task A_copy_that_stood_still_and_was_taken_for_dead_relies_on_nothing_that_was_collected(int minutes, bool atTheEnd, int at = 1)
    {
        // The twin has chunks that nothing there needs any more, and the next point does.
        await _vaults.CreateAsync();
        RecoveryPoint gone = await _vaults.Source.BackUpAsync([1, 2, 3]);
        await _vaults.Source.BackUpAsync([9]);
        await _vaults.CopyAsync();
        await _vaults.Source.BackUpAsync([1, 2, 3, 4]);
        await _vaults.Source.BackUpAsync([2, 5]);
        await _vaults.Source.BackUpAsync([3, 6], machine: "Other");
        await _vaults.EndAsync(_vaults.Twin, gone);
        var still = new PausedVaultStore(_vaults.Twin, at, MaintainAsync, (call, name) => call == VaultCall.Create && name.Contains(atTheEnd ? "/points/" : "/packs/", StringComparison.Ordinal));

        Assert.Equal(3, (await _vaults.CopyAsync(to: still)).PointsCopied);

        await _vaults.AssertHoldsAsync(_vaults.Twin, [.. _vaults.Source.Points.Where(point => point != gone)]);

        async Task MaintainAsync()
        {
            for (int run = 0; run < 3; run++)
            {
                _vaults.Source.Clock.Advance(TimeSpan.FromMinutes(minutes));
                await _vaults.MaintainAsync(_vaults.Twin, minutes < 60 ? MaintainedVault.Impatient : null);
            }
        }
    }

    [Fact]
    public async Task One_that_was_killed_between_a_point_and_the_word_that_it_was_made_is_looked_through_again()
    {
        await _vaults.CreateAsync();
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1, 2, 3]);
        await _vaults.CopyAsync();
        _vaults.Twin.Remove(TwinnedVault.Names(_vaults.Twin, StoredKind.Commit).Single());
        _vaults.Twin.Remove(TwinnedVault.Names(_vaults.Twin, StoredKind.Pack)[0]);

        VaultCopyReport report = await _vaults.CopyAsync();

        Assert.Equal((0, 1), (report.PointsCopied, report.PointsThere));
        Assert.NotEqual(0, report.Chunks);
        Assert.Single(TwinnedVault.Names(_vaults.Twin, StoredKind.Commit));
        IndexedVault twin = await _vaults.Source.OpenAsync(_vaults.Twin);
        await _vaults.Source.AssertHoldsAsync(twin, point);
    }

    [Fact]
    public async Task Several_copies_at_once_into_one_twin_do_each_other_no_harm()
    {
        await _vaults.CreateAsync();
        for (int i = 0; i < 6; i++)
        {
            await _vaults.Source.BackUpAsync([i, i + 1, i + 2]);
        }

        VaultCopyReport[] reports = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => _vaults.CopyAsync())));

        Assert.Equal(6, reports.Sum(report => report.PointsCopied));
        await _vaults.AssertHoldsAsync(_vaults.Twin, [.. _vaults.Source.Points]);
        await _vaults.MaintainAsync(_vaults.Twin);
        await _vaults.AssertHoldsAsync(_vaults.Twin, [.. _vaults.Source.Points]);
    }

    [Fact]
    public async Task A_point_that_ends_in_the_vault_meanwhile_is_copied_or_passed_over()
    {
        await _vaults.CreateAsync();
        RecoveryPoint[] points = [await _vaults.Source.BackUpAsync([1, 2]), await _vaults.Source.BackUpAsync([3]), await _vaults.Source.BackUpAsync([4])];
        for (int at = 1 + Random.Shared.Next(_step); ; at += _step)
        {
            MemoryVaultStore source = _vaults.Source.Objects.Clone();
            MemoryVaultStore twin = _vaults.Twin.Clone();
            var paused = new PausedVaultStore(source, at, async () =>
            {
                await _vaults.EndAsync(source, points[0]);
                await _vaults.MaintainAsync(source);
                await _vaults.MaintainAsync(source);
            });

            VaultCopyReport report = await _vaults.CopyAsync(paused, twin);

            Assert.Empty(report.Damaged);
            HashSet<string> there = [.. await _vaults.ListAsync(twin)];
            Assert.Superset(new HashSet<string> { $"{points[1].SessionId}", $"{points[2].SessionId}" }, there);
            await _vaults.AssertHoldsAsync(twin, [.. points.Where(point => there.Contains($"{point.SessionId}"))]);
            if (paused.Calls < at)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task Whatever_becomes_of_three_places_each_of_their_points_is_whole()
    {
        for (int round = 0; round < Campaign.Rounds(usual: 12, full: 500, brief: 6); round++)
        {
            int seed = Random.Shared.Next();
            try
            {
                using var test = new InterruptedCopyTests();
                await test.ActAtRandomAsync(new Random(seed));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }

    private async Task ActAtRandomAsync(Random random)
    {
        await _vaults.CreateAsync();
        await _vaults.Source.BackUpAsync([1]);
        MemoryVaultStore[] places = [_vaults.Source.Objects, _vaults.Twin, await _vaults.CreateTwinAsync(_vaults.Twin)];
        for (int step = 0; step < 16; step++)
        {
            int of = random.Next(2);
            switch (random.Next(6))
            {
                case 0 or 1:
                    await _vaults.Source.BackUpAsync(
                        [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(8)).Distinct()], machine: random.Next(2) == 0 ? BackupFixture.Machine : "Other");
                    break;
                case 2:
                    await EndOneAsync(random, places[random.Next(3)]);
                    break;
                case 3:
                    _vaults.Source.Clock.Advance(TimeSpan.FromHours(random.Next(30)));
                    Assert.Empty((await _vaults.MaintainAsync(places[random.Next(3)])).Findings);
                    break;
                case 4:
                    await CopyAndDieAsync(random, places[of], places[of + 1]);
                    break;
                default:
                    Assert.Empty((await _vaults.CopyAsync(places[of], places[of + 1])).Damaged);
                    Assert.Equal(0, (await _vaults.CopyAsync(places[of], places[of + 1])).PointsCopied);
                    break;
            }
        }

        foreach (MemoryVaultStore place in places)
        {
            HashSet<string> there = [.. await _vaults.ListAsync(place)];
            await _vaults.AssertHoldsAsync(place, [.. _vaults.Source.Points.Where(point => there.Contains($"{point.SessionId}"))]);
        }
    }

    private async Task EndOneAsync(Random random, IVaultStore place)
    {
        using UnlockedVault vault = await _vaults.Source.Backups.OpenAsync(place);
        RecoveryPoint[] points = [.. await vault.ListPointsAsync(null, Cancel)];
        if (points.Length > 1)
        {
            await _vaults.EndAsync(place, points[random.Next(points.Length)]);
        }
    }

    private async Task CopyAndDieAsync(Random random, IVaultStore from, IVaultStore to)
    {
        bool isTwin = random.Next(2) == 0;
        var faulty = new FaultyVaultStore(isTwin ? to : from) { FailAt = random.Next(1, 60), Timing = (FaultTiming)random.Next(2), Kind = FaultKind.ForGood };
        try
        {
            await _vaults.CopyAsync(isTwin ? from : faulty, isTwin ? faulty : to);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
        {
            // As intended.
        }
    }
}
