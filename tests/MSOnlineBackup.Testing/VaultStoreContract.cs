using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>What every store and every decorator must do. Each has a test class derived from this one.</summary>
public abstract class VaultStoreContract
{
    public static TheoryData<string> IllegalNames { get; } =
        ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", ".", "a/./b", ".tmp/a", "a/.b", "A", "a b", "a\\b", "a\0", "ä", new string('a', 256)];

    public static TheoryData<string> LegalNames { get; } =
        ["a", "0", "vault.json", "a-b.c", "a/b", "stores/0a/packs/ff/1-2", string.Join('/', Enumerable.Repeat("abc", 64)), new string('a', 255)];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_created_object_reads_back_whole()
    {
        IVaultStore store = CreateStore();
        byte[] content = Bytes(100_000);

        Assert.True(await store.TryCreateAsync("packs/ab/1", content, Stop));

        Assert.Equal(content, await ReadWholeAsync(store, "packs/ab/1"));
    }

    [Fact]
    public async Task An_existing_object_is_never_replaced()
    {
        IVaultStore store = CreateStore();
        byte[] first = Bytes(1000, seed: 1);
        await store.TryCreateAsync("points/m/s", first, Stop);

        Assert.False(await store.TryCreateAsync("points/m/s", Bytes(1000, seed: 2), Stop));
        Assert.False(await store.TryCreateAsync("points/m/s", ReadOnlyMemory<byte>.Empty, Stop));

        Assert.Equal(first, await ReadWholeAsync(store, "points/m/s"));
    }

    [Fact]
    public async Task Of_many_racers_for_one_name_exactly_one_wins()
    {
        IVaultStore store = CreateStore();
        for (int round = 0; round < 8; round++)
        {
            string name = $"points/m/{round}";
            byte[][] contents = [.. Enumerable.Range(0, 12).Select(racer => Bytes(50_000 + racer, seed: racer))];

            bool[] won = await Task.WhenAll(contents.Select(content => Task.Run(async () => await store.TryCreateAsync(name, content, Stop), Stop)));

            int winner = Array.IndexOf(won, true);
            Assert.Single(won, true);
            Assert.Equal(contents[winner], await ReadWholeAsync(store, name));
        }
    }

    [Fact]
    public async Task An_object_is_seen_absent_or_whole()
    {
        const int Length = 2_000_000;
        IVaultStore store = CreateStore();
        byte[] content = Bytes(Length);
        Task writer = Task.Run(
            async () =>
            {
                for (int i = 0; i < 10; i++)
                {
                    await store.TryCreateAsync($"packs/{i}", content, Stop);
                }
            },
            Stop);

        do
        {
            await foreach (StoredObject item in store.ListAsync("packs/", Stop))
            {
                Assert.Equal(Length, item.Length);
                byte[] end = new byte[16];
                Assert.Equal(16, await store.ReadAsync(item.Name, Length - 16, end, Stop));
                Assert.Equal(content[^16..], end);
            }
        }
        while (!writer.IsCompleted);
        await writer;
    }

    [Fact]
    public async Task Objects_of_many_folders_are_created_at_once()
    {
        IVaultStore store = CreateStore();

        bool[] created = await Task.WhenAll(Enumerable.Range(0, 64).Select(
            i => Task.Run(async () => await store.TryCreateAsync($"packs/{i % 7}/{i}", Bytes(i), Stop), Stop)));

        Assert.All(created, Assert.True);
        for (int i = 0; i < 64; i++)
        {
            Assert.Equal(Bytes(i), await ReadWholeAsync(store, $"packs/{i % 7}/{i}"));
        }
    }

    [Fact]
    public async Task The_buffer_is_the_callers_again_after_a_create()
    {
        IVaultStore store = CreateStore();
        byte[] content = Bytes(5000);
        byte[] buffer = [.. content];
        await store.TryCreateAsync("a", buffer, Stop);

        Array.Clear(buffer);

        Assert.Equal(content, await ReadWholeAsync(store, "a"));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 1, 1)]
    [InlineData(0, 1000, 1000)]
    [InlineData(0, 1001, 1000)]
    [InlineData(999, 1, 1)]
    [InlineData(999, 10, 1)]
    [InlineData(500, 100, 100)]
    [InlineData(1000, 1, 0)]
    [InlineData(1001, 1, 0)]
    [InlineData(1L << 40, 10, 0)]
    public async Task A_range_gives_the_bytes_there_are(long offset, int asked, int expected)
    {
        IVaultStore store = CreateStore();
        byte[] content = Bytes(1000);
        await store.TryCreateAsync("a/b", content, Stop);
        byte[] destination = [.. Enumerable.Repeat((byte)0xEE, asked)];

        int read = await store.ReadAsync("a/b", offset, destination, Stop);

        Assert.Equal(expected, read);
        Assert.Equal(content.Skip((int)Math.Min(offset, 1000)).Take(expected), destination.Take(expected));
        Assert.All(destination[expected..], b => Assert.Equal(0xEE, b));
    }

    [Fact]
    public async Task A_negative_offset_is_refused()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a", Bytes(10), Stop);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.ReadAsync("a", -1, new byte[1], Stop));
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        IVaultStore store = CreateStore();

        Assert.True(await store.TryCreateAsync("sessions/s", ReadOnlyMemory<byte>.Empty, Stop));

        Assert.Equal(0, (await store.StatAsync("sessions/s", Stop))?.Length);
        Assert.Equal(0, await store.ReadAsync("sessions/s", 0, new byte[1], Stop));
        Assert.False(await store.TryCreateAsync("sessions/s", Bytes(1), Stop));
    }

    [Fact]
    public async Task An_object_of_32_MiB_is_kept_whole()
    {
        IVaultStore store = CreateStore();
        byte[] content = Bytes(32 << 20);

        await store.TryCreateAsync("packs/00/big", content, Stop);

        byte[] read = await ReadWholeAsync(store, "packs/00/big");
        Assert.True(content.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task Reading_an_absent_object_says_which_is_missing()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("packs/ab/1", Bytes(1), Stop);

        foreach (string name in new[] { "packs/ab/2", "packs/cd/1", "packs/ab", "packs/ab/1/2", "x" })
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync(name, 0, new byte[1], Stop));

            Assert.Equal(BackupErrorId.VaultDataMissing, error.Id);
            Assert.Equal(name, error.Target);
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.False(error.IsTransient);
        }
    }

    [Fact]
    public async Task Stat_tells_what_a_listing_tells()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("index/1", Bytes(123), Stop);

        StoredObject found = Assert.NotNull(await store.StatAsync("index/1", Stop));

        Assert.Equal("index/1", found.Name);
        Assert.Equal(123, found.Length);
        Assert.Equal(TimeSpan.Zero, found.Created.Offset);
        Assert.Equal([found], await ListAsync(store, "index/"));
    }

    [Fact]
    public async Task What_was_created_later_is_no_older()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a/1", Bytes(1), Stop);
        await store.TryCreateAsync("a/2", Bytes(1), Stop);

        Assert.True((await store.StatAsync("a/1", Stop))?.Created <= (await store.StatAsync("a/2", Stop))?.Created);
    }

    [Fact]
    public async Task Stat_of_an_absent_object_is_null()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a/b", Bytes(1), Stop);

        Assert.Null(await store.StatAsync("a/c", Stop));
        Assert.Null(await store.StatAsync("b/c", Stop));
        Assert.Null(await store.StatAsync("a", Stop));
        Assert.Null(await store.StatAsync("a/b/c", Stop));
    }

    [Fact]
    public async Task A_listing_shows_a_folder_and_what_is_below_it()
    {
        IVaultStore store = CreateStore();
        foreach (string name in new[] { "vault.json", "a/1", "a/2", "a/b/3", "a/b/c/4", "ab/5", "b/6" })
        {
            await store.TryCreateAsync(name, Bytes(3), Stop);
        }

        Assert.Equal(["a/1", "a/2", "a/b/3", "a/b/c/4", "ab/5", "b/6", "vault.json"], await ListNamesAsync(store, ""));
        Assert.Equal(["a/1", "a/2", "a/b/3", "a/b/c/4"], await ListNamesAsync(store, "a/"));
        Assert.Equal(["a/b/3", "a/b/c/4"], await ListNamesAsync(store, "a/b/"));
        Assert.Empty(await ListNamesAsync(store, "c/"));
        Assert.Empty(await ListNamesAsync(store, "a/1/"));
    }

    [Fact]
    public async Task A_new_store_lists_nothing() => Assert.Empty(await ListNamesAsync(CreateStore(), ""));

    [Fact]
    public async Task A_listing_while_others_write_shows_all_that_stood_before_and_nothing_twice()
    {
        IVaultStore store = CreateStore();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var standing = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < 600; i++)
        {
            string name = $"packs/{i % 3}/{i}";
            await store.TryCreateAsync(name, Bytes(7), Stop);
            standing.Add(name);
        }

        Task writer = Task.Run(
            async () =>
            {
                for (int i = 0; !done.IsCancellationRequested; i++)
                {
                    await store.TryCreateAsync($"packs/{i % 5}/new-{i}", Bytes(7), Stop);
                    await store.DeleteAsync($"packs/{i % 5}/new-{i - 2}", Stop);
                }
            },
            Stop);
        for (int round = 0; round < 3; round++)
        {
            List<StoredObject> listed = await ListAsync(store, "packs/");

            Assert.Equal(listed.Count, listed.DistinctBy(item => item.Name).Count());
            Assert.Superset(standing, listed.Select(item => item.Name).ToHashSet(StringComparer.Ordinal));
            Assert.All(listed, item => Assert.Equal(7, item.Length));
        }

        await done.CancelAsync();
        await writer;
    }

    [Fact]
    public async Task A_listing_may_be_left_early()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a/1", Bytes(1), Stop);
        await store.TryCreateAsync("a/2", Bytes(1), Stop);

        int seen = 0;
        await foreach (StoredObject _ in store.ListAsync("a/", Stop))
        {
            seen++;
            break;
        }

        Assert.Equal(1, seen);
        Assert.Equal(2, (await ListNamesAsync(store, "a/")).Count);
    }

    [Fact]
    public async Task A_deleted_object_is_gone_and_others_stay()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a/1", Bytes(1), Stop);
        await store.TryCreateAsync("a/2", Bytes(2), Stop);

        await store.DeleteAsync("a/1", Stop);

        Assert.Null(await store.StatAsync("a/1", Stop));
        Assert.Equal(["a/2"], await ListNamesAsync(store, ""));
        Assert.Equal(Bytes(2), await ReadWholeAsync(store, "a/2"));
    }

    [Fact]
    public async Task Deleting_what_is_not_there_succeeds()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a/1", Bytes(1), Stop);

        await store.DeleteAsync("a/1", Stop);
        await store.DeleteAsync("a/1", Stop);
        await store.DeleteAsync("b/1", Stop);

        Assert.Empty(await ListNamesAsync(store, ""));
    }

    [Theory]
    [MemberData(nameof(LegalNames))]
    public async Task A_legal_name_is_taken(string name)
    {
        IVaultStore store = CreateStore();

        Assert.True(await store.TryCreateAsync(name, Bytes(9), Stop));

        Assert.Equal(Bytes(9), await ReadWholeAsync(store, name));
        Assert.Equal([name], await ListNamesAsync(store, ""));
        await store.DeleteAsync(name, Stop);
        Assert.Null(await store.StatAsync(name, Stop));
    }

    [Theory]
    [MemberData(nameof(IllegalNames))]
    public async Task An_illegal_name_is_refused(string name)
    {
        IVaultStore store = CreateStore();

        await Assert.ThrowsAsync<ArgumentException>(async () => await store.TryCreateAsync(name, Bytes(1), Stop));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.ReadAsync(name, 0, new byte[1], Stop));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.StatAsync(name, Stop));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.DeleteAsync(name, Stop));
        Assert.Empty(await ListNamesAsync(store, ""));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("../")]
    [InlineData("a//")]
    [InlineData(".tmp/")]
    public async Task A_prefix_that_is_no_folder_is_refused(string prefix) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await ListNamesAsync(CreateStore(), prefix));

    [Fact]
    public async Task A_cancelled_call_does_nothing()
    {
        IVaultStore store = CreateStore();
        await store.TryCreateAsync("a", Bytes(1), Stop);
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.TryCreateAsync("b", Bytes(1), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.DeleteAsync("a", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ReadAsync("a", 0, new byte[1], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.StatAsync("a", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ListAsync("", cancelled).GetAsyncEnumerator(cancelled).MoveNextAsync());

        Assert.Equal(["a"], await ListNamesAsync(store, ""));
    }

    [Fact]
    public void A_store_says_what_suits_it()
    {
        IVaultStore store = CreateStore();

        Assert.NotEmpty(store.Location);
        Assert.InRange(store.Capabilities.PackSize, 1 << 20, 64 << 20);
        Assert.InRange(store.Capabilities.MaxConcurrency, 1, 64);
    }

    /// <summary>A store without objects.</summary>
    protected abstract IVaultStore CreateStore();

    /// <summary>Bytes that compress badly and are the same for the same seed.</summary>
    protected static byte[] Bytes(int count, int seed = 0)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadWholeAsync(IVaultStore store, string name)
    {
        StoredObject found = Assert.NotNull(await store.StatAsync(name, Stop));
        byte[] content = new byte[found.Length];
        Assert.Equal(content.Length, await store.ReadAsync(name, 0, content, Stop));
        return content;
    }

    private static async Task<List<StoredObject>> ListAsync(IVaultStore store, string prefix)
    {
        var items = new List<StoredObject>();
        await foreach (StoredObject item in store.ListAsync(prefix, Stop))
        {
            items.Add(item);
        }

        return items;
    }

    private static async Task<List<string>> ListNamesAsync(IVaultStore store, string prefix) =>
        [.. (await ListAsync(store, prefix)).Select(item => item.Name).Order(StringComparer.Ordinal)];
}
