using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>Several decide on one point at once: in every order of their calls, what comes out is what one after the other could have decided.</summary>
public sealed class DeletionRaceTests
{
    private static readonly MachineId _machine = MachineId.Parse(new string('1', 32));
    private static readonly SessionId _session = SessionId.Parse(new string('2', 32));

    [Theory]
    [InlineData(null)]
    [InlineData(DeletionState.Deleted)]
    [InlineData(DeletionState.Restored)]
    internal async Task Two_that_decide_at_once_decide_one_after_the_other(DeletionState? before)
    {
        DeletionState[] wishes = Enum.GetValues<DeletionState>();
        int orders = 0;
        foreach ((DeletionState one, DeletionState other) in wishes.SelectMany(_ => wishes, (one, other) => (one, other)))
        {
            await foreach (List<DeletionState> decisions in RunAllAsync(before, [one, other]))
            {
                orders++;
                Assert.Contains(decisions, Serial(before, one, other).Concat(Serial(before, other, one)));
            }
        }

        Assert.True(orders > 50, $"{orders} orders");
    }

    [Fact]
    public async Task Whoever_comes_after_the_end_changes_nothing()
    {
        await foreach (List<DeletionState> decisions in RunAllAsync(DeletionState.Gone, [DeletionState.Restored, DeletionState.Deleted]))
        {
            Assert.Equal([DeletionState.Deleted, DeletionState.Gone], decisions);
        }
    }

    [Fact]
    public async Task Of_three_of_whom_one_ends_it_nobody_decides_after_that()
    {
        int gone = 0;
        int restored = 0;
        await foreach (List<DeletionState> decisions in RunAllAsync(DeletionState.Deleted, [DeletionState.Restored, DeletionState.Gone, DeletionState.Restored], random: new Random(1)))
        {
            Assert.Equal(2, decisions.Count);
            gone += decisions[1] == DeletionState.Gone ? 1 : 0;
            restored += decisions[1] == DeletionState.Restored ? 1 : 0;
        }

        Assert.True(gone > 0 && restored > 0, $"gone {gone}, restored {restored}");
    }

    private static List<List<DeletionState>> Serial(DeletionState? before, DeletionState first, DeletionState second)
    {
        List<DeletionState> decisions = [.. Beginning(before)];
        foreach (DeletionState wish in (DeletionState[])[first, second])
        {
            if (Next(decisions.Count == 0 ? null : decisions[^1], wish) is { } next)
            {
                decisions.Add(next);
            }
        }

        return [decisions];
    }

    private static DeletionState[] Beginning(DeletionState? before) => before switch
    {
        null => [],
        DeletionState.Deleted => [DeletionState.Deleted],
        _ => [DeletionState.Deleted, before.Value],
    };

    // What the product's rules are: see PointDeletions and PointExpiry.
    private static DeletionState? Next(DeletionState? current, DeletionState wish) => wish switch
    {
        DeletionState.Deleted => current is DeletionState.Deleted or DeletionState.Gone ? null : wish,
        _ => current == DeletionState.Deleted ? wish : null,
    };

    // Every order in which the calls of all can reach the vault; some of them where there is a random one to choose.
    private static async IAsyncEnumerable<List<DeletionState>> RunAllAsync(DeletionState? before, DeletionState[] wishes, Random? random = null)
    {
        var choices = new List<(int Taken, int Of)>();
        int most = random is null ? int.MaxValue : Testing.Campaign.Rounds(usual: 200, full: 20_000, brief: 100);
        for (int run = 0; run < most; run++)
        {
            var objects = new MemoryVaultStore();
            foreach (DeletionState state in Beginning(before))
            {
                await DecideAsync(await OpenAsync(objects), state);
            }

            using var turns = new Turns(wishes.Length);
            Task[] actors = [.. wishes.Select((wish, actor) => ActAsync(objects, wish, turns, actor))];
            for (int step = 0; await turns.WaitAsync() is { Count: > 0 } waiting; step++)
            {
                if (step == choices.Count)
                {
                    choices.Add((random?.Next(waiting.Count) ?? 0, waiting.Count));
                }

                turns.Grant(waiting[choices[step].Taken]);
            }

            await Task.WhenAll(actors).WaitAsync(HangGuard, Cancel);
            yield return await ReadAsync(objects);
            if (random is not null)
            {
                choices.Clear();
                continue;
            }

            while (choices.Count > 0 && choices[^1].Taken + 1 == choices[^1].Of)
            {
                choices.RemoveAt(choices.Count - 1);
            }

            if (choices.Count == 0)
            {
                yield break;
            }

            choices[^1] = (choices[^1].Taken + 1, choices[^1].Of);
        }
    }

    private static async Task ActAsync(MemoryVaultStore objects, DeletionState wish, Turns turns, int actor)
    {
        try
        {
            await DecideAsync(TestVault.StoreOf(new SteppedVaultStore(objects, _ => turns.TakeAsync(actor)), Header, Store, new byte[32]), wish);
        }
        finally
        {
            turns.Leave(actor);
        }
    }

    private static Task<ChunkStore> OpenAsync(IVaultStore objects) => Task.FromResult(TestVault.StoreOf(objects, Header, Store, new byte[32]));

    private static async Task DecideAsync(ChunkStore store, DeletionState wish)
    {
        var log = new DeletionLog(store);
        DeletionSeries series =
            (await log.ListAsync(store.Objects, _machine, Cancel)).GetValueOrDefault((_machine, _session)) ?? new DeletionSeries(_machine, _session, []);
        await log.DecideAsync(series, current => Next(current.State, wish) is { } next ? new DeletionRecord(next, "test", "1") : null, Cancel);
    }

    private static async Task<List<DeletionState>> ReadAsync(MemoryVaultStore objects)
    {
        var log = new DeletionLog(await OpenAsync(objects));
        DeletionSeries? series = (await log.ListAsync(objects, null, Cancel)).GetValueOrDefault((_machine, _session));
        var decisions = new List<DeletionState>();
        foreach ((uint number, StoredObject found) in series?.Records.Reverse() ?? [])
        {
            decisions.Add((await log.ReadRecordAsync(found, Cancel)).State);
            Assert.Equal((uint)decisions.Count, number);
        }

        return decisions;
    }

    /// <summary>Lets one of several go on at a time, once each of them waits or has left.</summary>
    private sealed class Turns(int actors) : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<int, TaskCompletionSource> _waiting = [];
        private readonly SemaphoreSlim _changed = new(0);
        private int _busy = actors;

        public void Dispose() => _changed.Dispose();

        public async Task TakeAsync(int actor)
        {
            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                _waiting.Add(actor, turn);
                _busy--;
            }

            _changed.Release();
            await turn.Task;
        }

        public void Leave(int actor)
        {
            lock (_gate)
            {
                _busy--;
            }

            _changed.Release();
        }

        public async Task<List<int>> WaitAsync()
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_busy == 0)
                    {
                        return [.. _waiting.Keys];
                    }
                }

                await _changed.WaitAsync(Cancel).WaitAsync(HangGuard, Cancel);
            }
        }

        public void Grant(int actor)
        {
            lock (_gate)
            {
                _busy++;
                _waiting.Remove(actor, out TaskCompletionSource? turn);
                turn!.SetResult();
            }
        }
    }
}
