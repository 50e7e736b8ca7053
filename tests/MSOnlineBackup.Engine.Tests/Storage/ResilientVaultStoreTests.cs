using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class ResilientVaultStoreTests
{
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
    public async Task Retries_are_bounded_in_number_and_time_and_the_last_error_is_told()
    {
        var faulty = new FaultyVaultStore(_memory) { FailEvery = 1 };

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await Resilient(faulty).StatAsync("a", Stop));

        Assert.Equal(BackupErrorId.VaultUnreachable, error.Id);
        Assert.Equal(5, faulty.TotalCalls);
        Assert.Equal([1, 2, 3, 4], _waits.Select(wait => wait.Attempt));
        Assert.All(_waits, wait => Assert.InRange(wait.Delay, TimeSpan.Zero, TimeSpan.FromSeconds(15)));
        Assert.InRange(_clock.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.All(_waits, wait => Assert.Equal("a", wait.Cause.Target));
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

    private ResilientVaultStore Resilient(IVaultStore inner) => new(inner, new VaultRetryOptions { Waiting = _waits.Add }, _clock);

    private static byte[] Content(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }
}
