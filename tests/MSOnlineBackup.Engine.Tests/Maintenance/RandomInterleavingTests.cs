using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>
/// Two who back up, two who maintain, one who lets go of points and one who reads, their calls in an order of chance, and each with a fate. After it every point that is there gives
/// back every file, nothing is left over, and no point that was let go of keeps anything.
/// </summary>
public sealed class RandomInterleavingTests
{
    private const int First = 20261129;

    [Fact]
    public async Task Nothing_that_is_needed_goes_and_nothing_else_stays()
    {
        int cases = Campaign.Rounds(usual: 20, full: 10_000, brief: 12);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = TestContext.Current.CancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(Campaign.FirstSeed(First), cases), options, async (seed, _) =>
        {
            try
            {
                await RunAsync(seed);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        });
    }

    private static async Task RunAsync(int seed)
    {
        var random = new Random(seed);
        using var vault = new MaintainedVault(hasIndexCache: seed % 2 == 0);
        for (int i = 0, points = random.Next(1, 4); i < points; i++)
        {
            await vault.BackUpAsync(Choose(random), machine: i == 0 ? "a" : "b");
        }

        if (random.Next(2) == 0)
        {
            await vault.MaintainAsync();
        }

        // What is to be let go of nobody reads meanwhile.
        List<RecoveryPoint> goes = [.. vault.Points.Where(_ => random.Next(2) == 0)];
        List<RecoveryPoint> stays = [.. vault.Points.Except(goes)];
        foreach (RecoveryPoint point in goes.Where(_ => random.Next(2) == 0).ToList())
        {
            await vault.DropAsync(point);
            goes.Remove(point);
        }

        var turns = new Interleaver(seed);
        var actors = new List<Func<int, Task>>();
        foreach (string machine in new[] { "a", "b" })
        {
            int[][] contents = [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Choose(random))];
            (Fate fate, int at) = Draw(random, 120);
            actors.Add(actor => AllAsync(contents, wanted => vault.BackUpAsync(wanted, new ActorVaultStore(vault.Objects, turns, actor, fate, at), machine)));
        }

        for (int i = 0; i < 2; i++)
        {
            MaintenanceRequest[] requests = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Request(random))];
            (Fate fate, int at) = Draw(random, 250);
            actors.Add(actor => AllAsync(requests, request => vault.MaintainAsync(request, new ActorVaultStore(vault.Objects, turns, actor, fate, at))));
        }

        actors.Add(async actor =>
        {
            foreach (RecoveryPoint point in goes)
            {
                for (int calls = 0; calls < 20; calls++)
                {
                    await turns.EnterAsync(actor);
                }

                await vault.DropAsync(point);
            }
        });
        if (stays.Count > 0)
        {
            actors.Add(async actor =>
            {
                IndexedVault reader = await vault.OpenAsync(new ActorVaultStore(vault.Objects, turns, actor, Fate.Lives, 0));
                foreach (RecoveryPoint point in stays)
                {
                    await vault.AssertHoldsAsync(reader, point);
                }
            });
        }

        await turns.RunAsync(actors);
        await vault.AdoptAsync();
        await vault.AssertWholeAsync();
        for (int i = 0; i < 3; i++)
        {
            await vault.MaintainAsync(MaintainedVault.Impatient);
        }

        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
    }

    // Whoever fails says so by an error that is expected here, and goes on with what is next, as a scheduled job does.
    private static async Task AllAsync<T>(IEnumerable<T> all, Func<T, Task> act)
    {
        foreach (T one in all)
        {
            try
            {
                await act(one);
            }
            catch (BackupException e) when (e.Id is BackupErrorId.VaultUnreachable or BackupErrorId.VaultFull or BackupErrorId.VaultAccessDenied or BackupErrorId.SessionFenced)
            {
                continue;
            }
        }
    }

    private static int[] Choose(Random random) => [.. Enumerable.Range(1, 10).Where(_ => random.Next(3) == 0).Append(random.Next(11, 15)).Order()];

    private static MaintenanceRequest Request(Random random) => new()
    {
        MaxUnused = random.Next(3) switch { 0 => 0, 1 => 0.2, _ => 0.9 },
        MaxRepackBytes = random.Next(4) == 0 ? random.Next(500_000) : null,
        ShutOutAfter = random.Next(3) == 0 ? TimeSpan.Zero : TimeSpan.FromDays(1),
    };

    private static (Fate Fate, int At) Draw(Random random, int calls) =>
        (random.Next(2) == 0 ? Fate.Lives : (Fate)random.Next(1, Enum.GetValues<Fate>().Length), random.Next(1, calls));
}
