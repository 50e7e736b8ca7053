using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class ResilientVaultStoreTests
{
    private static readonly TimeSpan _hangGuard = TimeSpan.FromSeconds(60);

    private readonly MemoryVaultStore _memory = new();
    private readonly FakeClock _clock = new() { SkipsWaits = true };
    private readonly List<VaultWait> _waits = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task A_create_that_fails_once_succeeds_whether_or_not_it_was_done(FaultTiming timing)
    {
        var faulty = new FaultyVaultStore(_memory) { FailAt = 1, Timing = timing };

        Assert.True(await Resilient(faulty).TryCreateAsync("a", Content(3_000_000), Stop));

        Assert.Equal(Content(3_000_000), _memory.GetContent("a"));
        Assert.Equal(2, faulty.CallsOf(VaultCall.Create));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(3_000_000)]
    public async Task A_foreign_object_of_that_name_exists_after_a_failed_create_too(int length)
    {
        byte[] foreign = Content(length);
        foreign[^1] ^= 1;
        _memory.SetContent("points/m/s", foreign);
        var faulty = new FaultyVaultStore(_memory) { FailAt = 1 };

        Assert.False(await Resilient(faulty).TryCreateAsync("points/m/s", Content(length), Stop));

        Assert.Equal(foreign, _memory.GetContent("points/m/s"));
    }

    [Fact]
    public async Task A_foreign_object_that_the_content_begins_with_exists()
    {
        _memory.SetContent("a", Content(10));
        var faulty = new FaultyVaultStore(_memory) { FailAt = 1 };

        Assert.False(await Resilient(faulty).TryCreateAsync("a", Content(20), Stop));
    }

    [Fact]
    public async Task An_existing_object_is_not_read_when_nothing_failed()
    {
        _memory.SetContent("a", Content(10));
        var faulty = new FaultyVaultStore(_memory);

        Assert.False(await Resilient(faulty).TryCreateAsync("a", Content(10), Stop));

        Assert.Equal(1, faulty.TotalCalls);
    }

    [Fact]
    public async Task Every_call_is_tried_again()
    {
        _memory.SetContent("a/1", Content(10));
        ResilientVaultStore store = Resilient(new FaultyVaultStore(_memory) { FailEvery = 2 });
        byte[] read = new byte[10];
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal(10, await store.ReadAsync("a/1", 0, read, Stop));
            Assert.Equal(10, (await store.StatAsync("a/1", Stop))?.Length);
            Assert.Single(await store.ListAsync("a/", Stop).ToListAsync(Stop));
            await store.DeleteAsync("b", Stop);
        }

        Assert.Equal(Content(10), read);
        Assert.NotEmpty(_waits);
    }

    [Fact]
    public async Task A_listing_that_broke_off_shows_the_rest_once()
    {
        foreach (int i in Enumerable.Range(0, 10))
        {
            _memory.SetContent($"a/{i}", []);
        }

        ResilientVaultStore store = Resilient(new FaultyVaultStore(_memory) { FailAt = 1, Timing = FaultTiming.AfterEffect });

        List<StoredObject> listed = await store.ListAsync("", Stop).ToListAsync(Stop);

        Assert.Equal(_memory.Names, listed.Select(item => item.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Retries_are_bounded_in_time_and_the_last_error_is_told()
    {
        var faulty = new FaultyVaultStore(_memory) { FailEvery = 1 };

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await Resilient(faulty).StatAsync("a", Stop));

        Assert.Equal(BackupErrorId.VaultUnreachable, error.Id);
        Assert.Equal(Enumerable.Range(1, faulty.TotalCalls - 1), _waits.Select(wait => wait.Attempt));
        Assert.All(_waits, wait => Assert.InRange(wait.Delay, TimeSpan.Zero, TimeSpan.FromSeconds(15)));
        Assert.InRange(_clock.Elapsed, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(75));
        Assert.All(_waits, wait => Assert.Equal("a", wait.Cause.Target));
    }

    [Fact]
    public async Task Ten_calls_outlast_a_store_that_is_away_for_ten_minutes_and_the_next_one_needs_no_patience()
    {
        _memory.SetContent("a", Content(10));
        var store = new ResilientVaultStore(
            new AwayStore(_memory, () => _clock.Elapsed < TimeSpan.FromMinutes(10) ? Away() : null), VaultRetryOptions.Remote with { Waiting = Note }, _clock);

        StoredObject?[] found = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => store.StatAsync("a", Stop).AsTask()));

        Assert.All(found, item => Assert.Equal(10, item?.Length));
        Assert.InRange(_clock.Elapsed, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(12));
        Assert.Null(store.Wait);
    }

    [Fact]
    public async Task A_call_that_begins_late_in_an_outage_has_no_more_patience_than_the_others()
    {
        var store = new ResilientVaultStore(new AwayStore(_memory, Away), VaultRetryOptions.Remote, _clock);
        await Assert.ThrowsAsync<BackupException>(async () => await store.StatAsync("a", Stop));
        TimeSpan given = _clock.Elapsed;

        await Assert.ThrowsAsync<BackupException>(async () => await store.StatAsync("b", Stop));

        Assert.InRange(given, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(16));
        Assert.Equal(given, _clock.Elapsed);
        Assert.NotNull(store.Wait);
    }

    [Fact]
    public async Task A_call_that_alone_never_succeeds_is_given_up_though_others_do()
    {
        _memory.SetContent("a", Content(10));
        var faulty = new FaultyVaultStore(_memory) { FailEvery = 1, Counts = (_, name) => name == "b" };
        ResilientVaultStore store = null!;
        store = new ResilientVaultStore(faulty, VaultRetryOptions.Remote with { Waiting = _ => Assert.NotNull(store.StatAsync("a", Stop).AsTask()) }, _clock);

        await Assert.ThrowsAsync<BackupException>(async () => await store.StatAsync("b", Stop));

        Assert.InRange(_clock.Elapsed, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(16));
    }

    [Fact]
    public async Task What_takes_long_to_send_is_tried_again_when_it_breaks_off()
    {
        int calls = 0;
        var slow = new AwayStore(_memory, () =>
        {
            _clock.Advance(TimeSpan.FromMinutes(20));
            return ++calls <= 2 ? Away() : null;
        });

        Assert.Null(await new ResilientVaultStore(slow, VaultRetryOptions.Remote, _clock).StatAsync("a", Stop));

        Assert.Equal(3, calls);
    }

    [Theory]
    [InlineData(45, 45)]
    [InlineData(86_400, 120)]
    [InlineData(-5, 0)]
    public async Task The_time_that_a_store_asks_for_is_given_within_reason(int asked, int given)
    {
        int calls = 0;
        var store = new ResilientVaultStore(
            new AwayStore(_memory, () => ++calls == 1 ? Away(TimeSpan.FromSeconds(asked)) : null), VaultRetryOptions.Remote with { Waiting = Note }, _clock);

        Assert.Null(await store.StatAsync("a", Stop));

        Assert.Equal(TimeSpan.FromSeconds(given), _clock.Elapsed);
        Assert.Equal(TimeSpan.FromSeconds(given), Assert.Single(_waits).Delay);
        Assert.Null(store.Wait);
    }

    [Fact]
    public async Task Nobody_asks_a_store_that_asked_for_peace()
    {
        var clock = new FakeClock();
        int calls = 0;
        var store = new ResilientVaultStore(
            new AwayStore(_memory, () => Interlocked.Increment(ref calls) == 1 ? Away(TimeSpan.FromSeconds(30)) : null), VaultRetryOptions.Remote with { Waiting = Note }, clock);
        Task refused = store.StatAsync("a", Stop).AsTask();
        await Until(() => store.Wait is not null);

        Task other = store.StatAsync("b", Stop).AsTask();
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, calls);
        Assert.Equal(clock.GetUtcNow() + TimeSpan.FromSeconds(1), store.Wait!.Until);
        clock.Advance(TimeSpan.FromSeconds(1));

        await Task.WhenAll(refused, other).WaitAsync(_hangGuard, Stop);
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Calls_at_once_are_halved_once_for_all_that_are_refused_together_and_come_back_one_by_one()
    {
        var clock = new FakeClock();
        var gate = new CallGate(16, clock);
        int[] rounds = new int[16];
        for (int i = 0; i < 16; i++)
        {
            rounds[i] = await gate.EnterAsync(Stop);
        }

        foreach (int round in rounds)
        {
            gate.LeaveRefused(round, TimeSpan.Zero);
        }

        Assert.Equal(8, gate.Limit);
        for (int i = 0; i < 8; i++)
        {
            await gate.EnterAsync(Stop);
        }

        Task<int> ninth = gate.EnterAsync(Stop).AsTask();
        Assert.False(ninth.IsCompleted);
        gate.LeaveAnswered();
        await ninth.WaitAsync(_hangGuard, Stop);
        for (int i = 0; i < 7; i++)
        {
            gate.LeaveAnswered();
            await gate.EnterAsync(Stop);
        }

        Assert.Equal(9, gate.Limit);
    }

    [Fact]
    public async Task At_least_one_call_is_let_through_and_who_gives_up_waiting_takes_no_place()
    {
        var gate = new CallGate(4, new FakeClock());
        for (int i = 0; i < 5; i++)
        {
            gate.LeaveRefused(await gate.EnterAsync(Stop), TimeSpan.Zero);
        }

        Assert.Equal(1, gate.Limit);
        await gate.EnterAsync(Stop);
        using var cancel = new CancellationTokenSource();
        Task<int> given = gate.EnterAsync(cancel.Token).AsTask();
        Task<int> next = gate.EnterAsync(Stop).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);

        gate.Leave();

        await next.WaitAsync(_hangGuard, Stop);
    }

    [Fact]
    public async Task A_wait_is_noted_once_however_many_calls_share_it()
    {
        var clock = new FakeClock();
        DateTimeOffset begin = clock.GetUtcNow();
        bool away = true;
        var store = new ResilientVaultStore(
            new AwayStore(_memory, () => away ? Away(TimeSpan.FromSeconds(10)) : null), VaultRetryOptions.Remote with { Waiting = Note }, clock);

        Task calls = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => store.StatAsync("a", Stop).AsTask()));
        await Until(() => store.Wait is not null);
        away = false;
        while (!calls.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await calls;

        // However many were refused at the beginning, one wait is noted. A call that comes to its own only when that has ended begins another; none is
        // noted beside one that goes on.
        Assert.Single(_waits, wait => wait.Until - wait.Delay == begin);
        for (int i = 1; i < _waits.Count; i++)
        {
            Assert.True(_waits[i].Until - _waits[i].Delay >= _waits[i - 1].Until - TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public async Task What_will_not_pass_is_not_tried_again()
    {
        var faulty = new FaultyVaultStore(_memory) { FailAt = 1, Kind = FaultKind.ForGood };

        await Assert.ThrowsAsync<BackupException>(async () => await Resilient(faulty).TryCreateAsync("a", Content(1), Stop));
        await Assert.ThrowsAsync<BackupException>(async () => await Resilient(_memory).ReadAsync("absent", 0, new byte[1], Stop));

        Assert.Equal(1, faulty.TotalCalls);
        Assert.Empty(_waits);
    }

    [Fact]
    public async Task A_cancellation_ends_the_waiting()
    {
        using var cancel = new CancellationTokenSource();
        var store = new ResilientVaultStore(
            new FaultyVaultStore(_memory) { FailEvery = 1 },
            new VaultRetryOptions { Waiting = _ => cancel.Cancel() },
            new FakeClock());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.StatAsync("a", cancel.Token));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public async Task For_somebody_who_waits_a_vault_that_is_away_is_given_up_within_a_minute(int secondsOfAnAttempt)
    {
        _memory.SetContent("a", Content(1));
        var away = new WatchedVaultStore(_memory, _ => { }, _ =>
        {
            _clock.Advance(TimeSpan.FromSeconds(secondsOfAnAttempt));
            throw new BackupException(BackupErrorId.VaultUnreachable, "It is away.", "Wait.", transient: true);
        });
        var store = new ResilientVaultStore(away, VaultRetryOptions.Attended with { Waiting = Note }, _clock);

        await Assert.ThrowsAsync<BackupException>(async () => await store.DeleteAsync("a", Stop));

        Assert.InRange(_clock.Elapsed, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60));
        Assert.NotEmpty(_waits);
    }

    private ResilientVaultStore Resilient(IVaultStore inner) => new(inner, new VaultRetryOptions { Waiting = Note }, _clock);

    private void Note(VaultWait wait)
    {
        lock (_waits)
        {
            _waits.Add(wait);
        }
    }

    private static BackupException Away() => Away(null);

    private static BackupException Away(TimeSpan? retryAfter) =>
        new(BackupErrorId.VaultUnreachable, "The test's store is away.", "Wait.", transient: true, retryAfter: retryAfter);

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(1, Stop);
        }
    }

    private static byte[] Content(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    /// <summary>A store whose facts cannot be had while it is away.</summary>
    private sealed class AwayStore(IVaultStore inner, Func<BackupException?> ask) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return ask() is { } refusal ? throw refusal : await inner.StatAsync(name, cancellationToken);
        }

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
