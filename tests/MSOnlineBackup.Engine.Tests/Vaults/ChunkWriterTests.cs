using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class ChunkWriterTests
{
    private const int Workers = 2;

    // Data packs have room for one largest chunk at least; four of these fill one.
    private static readonly VaultStoreCapabilities _smallPacks = new(PackSize: 1 << 20, MaxConcurrency: 4);
    private const int QuarterPack = (1 << 20) - 1000;

    [Fact]
    public async Task Duplicates_that_come_at_once_are_stored_once()
    {
        var objects = new MemoryVaultStore();
        ChunkStore store = await OpenAsync(objects);
        var ids = new ConcurrentBag<ChunkId>();
        await using (WriteSession session = await BeginAsync(store, Workers))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
            {
                foreach (int seed in Enumerable.Range(0, 40))
                {
                    byte[] content = TestKeys.Bytes(seed, 20_000 + seed);
                    ids.Add((seed + writer) % 3 == 0
                        ? await session.Chunks.WriteAsync(ChunkKind.Content, content, Cancel)
                        : await await SubmitAsync(session.Chunks, content));
                }
            }))).WaitAsync(HangGuard, Cancel);
            await session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel);
        }

        Assert.Equal(40, ids.Distinct().Count());
        Assert.Equal(ids.Distinct().Order(), (await ReadFootersAsync(store)).Select(found => found.Chunk.Id).Order());
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 1)]
    public async Task What_was_handed_over_before_a_flush_is_readable_by_anybody_after_it(int workers, int verifyOneIn)
    {
        var objects = new MemoryVaultStore { Capabilities = _smallPacks };
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), workers, verifyOneIn);
        var written = new Dictionary<ChunkId, (ChunkKind Kind, byte[] Content)>();
        int seed = 0;
        foreach (int[] lengths in (int[][])[[1], [], [0, 5, 100_000], [QuarterPack, QuarterPack, QuarterPack, QuarterPack, QuarterPack, 4 << 20]])
        {
            foreach (int length in lengths)
            {
                byte[] content = TestKeys.Bytes(++seed, length);
                ChunkKind kind = seed % 2 == 0 ? ChunkKind.Content : ChunkKind.ManifestLeaf;
                written[await session.Chunks.WriteAsync(kind, content, Cancel)] = (kind, content);
                byte[] file = TestKeys.Bytes(++seed, length);
                written[await await SubmitAsync(session.Chunks, file)] = (ChunkKind.Content, file);
            }

            await session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel);

            ChunkStore fresh = await OpenAsync(objects);
            foreach ((ChunkId id, (ChunkKind kind, byte[] content)) in written)
            {
                Assert.True(fresh.Index.TryFind(id, out _));
                Assert.Equal(content, (await fresh.ReadAsync(kind, id, Cancel)).ToArray());
            }

            Assert.Empty(fresh.Damage);
            Assert.Equal(written.Count, fresh.Index.RecordCount);
        }
    }

    [Fact]
    public async Task A_small_flush_leaves_one_pack_of_each_kind_whose_length_is_that_of_no_chunk()
    {
        var lengths = new HashSet<int>();
        for (int seed = 0; seed < 20; seed++)
        {
            var objects = new MemoryVaultStore();
            await using WriteSession session = await BeginAsync(await OpenAsync(objects), workers: 1);
            foreach (int file in Enumerable.Range(0, 6))
            {
                await session.Chunks.WriteAsync(ChunkKind.Content, TestKeys.Bytes((100 * seed) + file, 100_000 + (500 * seed)), Cancel);
            }

            await session.Chunks.WriteAsync(ChunkKind.ManifestLeaf, TestKeys.Bytes(seed, 300), Cancel);

            await session.FlushAsync(Cancel);

            string[] packs = [.. objects.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal))];
            Assert.Equal(2, packs.Length);
            lengths.UnionWith(packs.Select(pack => objects.GetContent(pack).Length));
            ChunkStore fresh = await OpenAsync(objects);
            Assert.Equal(7, fresh.Index.RecordCount);
            Assert.All(fresh.Index.All(), location => Assert.NotEqual(location.Chunk.StoredLength, location.Pack.Length));
        }

        Assert.Equal([4096, 606_208, 622_592, 638_976, 655_360, 671_744], lengths.Order());
    }

    [Fact]
    public async Task What_does_not_fit_into_one_pack_goes_out_as_two()
    {
        var objects = new MemoryVaultStore { Capabilities = _smallPacks };
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), workers: 1);
        foreach (int seed in Enumerable.Range(0, 7))
        {
            await session.Chunks.WriteAsync(ChunkKind.Content, TestKeys.Bytes(seed, QuarterPack), Cancel);
        }

        await session.FlushAsync(Cancel);

        ChunkStore fresh = await OpenAsync(objects);
        Assert.Equal(7, fresh.Index.RecordCount);
        Assert.InRange(fresh.Index.Packs.Count, 2, 3);
        foreach (int seed in Enumerable.Range(0, 7))
        {
            byte[] content = TestKeys.Bytes(seed, QuarterPack);
            Assert.Equal(content, (await fresh.ReadAsync(ChunkKind.Content, fresh.Identity.Compute(ChunkKind.Content, content), Cancel)).ToArray());
        }
    }

    [Fact]
    public async Task A_flush_in_the_midst_of_work_holds_all_that_came_before_it()
    {
        var objects = new MemoryVaultStore { Capabilities = _smallPacks };
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);
        using var stop = new CancellationTokenSource();
        Task others = Task.Run(async () =>
        {
            for (int seed = 1000; !stop.IsCancellationRequested; seed++)
            {
                await SubmitAsync(session.Chunks, TestKeys.Bytes(seed, 30_000));
            }
        }, Cancel);
        for (int round = 0; round < 5; round++)
        {
            ChunkId[] before = await Task.WhenAll(
                await Task.WhenAll(Enumerable.Range(0, 5).Select(i => SubmitAsync(session.Chunks, TestKeys.Bytes((round * 5) + i, 50_000)))));
            await session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel);

            ChunkStore fresh = await OpenAsync(objects);
            Assert.All(before, id => Assert.True(fresh.Index.TryFind(id, out _)));
        }

        await stop.CancelAsync();
        await others.WaitAsync(HangGuard, Cancel);
    }

    [Fact]
    public async Task A_flush_waits_for_a_chunk_that_another_has_claimed_and_not_yet_handed_over()
    {
        var objects = new MemoryVaultStore();
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), workers: 1);
        var rented = new List<byte[]>();
        for (int i = 0; i < PoolOf(workers: 1); i++)
        {
            rented.Add(await session.Chunks.RentBufferAsync());
        }

        byte[] content = TestKeys.Bytes(1, 1000);
        Task<ChunkId> waiting = session.Chunks.WriteAsync(ChunkKind.SliceList, content, Cancel).AsTask();
        ChunkId id = await session.Chunks.WriteAsync(ChunkKind.SliceList, content, Cancel);
        Task flush = session.FlushAsync(Cancel);

        Assert.False(waiting.IsCompleted);
        Assert.False(flush.IsCompleted);
        rented.ForEach(session.Chunks.ReturnBuffer);
        await flush.WaitAsync(HangGuard, Cancel);
        Assert.Equal(content, (await (await OpenAsync(objects)).ReadAsync(ChunkKind.SliceList, id, Cancel)).ToArray());
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task A_vault_that_fails_is_told_by_every_call_and_none_hangs(FaultTiming timing)
    {
        var objects = new FaultyVaultStore(new MemoryVaultStore { Capabilities = _smallPacks })
        {
            FailAt = 2,
            Kind = FaultKind.ForGood,
            Timing = timing,
            Counts = static (call, name) => call == VaultCall.Create && name.Contains("/packs/", StringComparison.Ordinal),
        };
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);

        BackupException submitted = await Assert.ThrowsAsync<BackupException>(() => SubmitForeverAsync(session.Chunks).WaitAsync(HangGuard, Cancel));

        Assert.Equal(BackupErrorId.VaultUnreachable, submitted.Id);
        Assert.Same(submitted, await Assert.ThrowsAsync<BackupException>(async () => await session.Chunks.RentBufferAsync()));
        Assert.Same(
            submitted, await Assert.ThrowsAsync<BackupException>(async () => await session.Chunks.WriteAsync(ChunkKind.ManifestLeaf, new byte[10], Cancel)));
        Assert.Same(submitted, await Assert.ThrowsAsync<BackupException>(() => session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel)));
    }

    [Fact]
    public async Task A_failure_while_a_flush_waits_is_the_flushs_failure()
    {
        var objects = new FaultyVaultStore(new MemoryVaultStore()) { FailAt = 1, Counts = static (call, name) => name.Contains("/packs/", StringComparison.Ordinal) && call == VaultCall.Create };
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);
        await session.Chunks.WriteAsync(ChunkKind.Content, new byte[100], Cancel);
        await session.Chunks.WriteAsync(ChunkKind.ManifestLeaf, new byte[100], Cancel);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel));

        Assert.Equal(BackupErrorId.VaultUnreachable, fault.Id);
    }

    [Fact]
    public async Task A_pack_name_that_is_taken_is_never_taken_for_ones_own()
    {
        var objects = new MemoryVaultStore();
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);
        string name = VaultLayout.Pack(Store, session.Id, 1);
        objects.SetContent(name, [1, 2, 3]);
        await session.Chunks.WriteAsync(ChunkKind.Content, new byte[100], Cancel);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => session.FlushAsync(Cancel).WaitAsync(HangGuard, Cancel));

        Assert.Equal((BackupErrorId.VaultExists, name), (fault.Id, fault.Target));
        Assert.Equal([1, 2, 3], objects.GetContent(name));
    }

    [Fact]
    public async Task A_writer_that_is_given_up_ends_though_its_vault_never_answers()
    {
        SlowVaultStore objects = Stuck();
        WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);
        Task submitting = SubmitForeverAsync(session.Chunks);
        await objects.Taking.WaitAsync(HangGuard, Cancel);

        await session.DisposeAsync().AsTask().WaitAsync(HangGuard, Cancel);

        await Assert.ThrowsAnyAsync<Exception>(() => submitting.WaitAsync(HangGuard, Cancel));
    }

    [Fact]
    public async Task A_writer_that_is_cancelled_says_so_and_ends()
    {
        SlowVaultStore objects = Stuck();
        using var stop = new CancellationTokenSource();
        var writer = new ChunkWriter(
            await OpenAsync(objects), SessionId.Parse(new string('0', 32)), VaultAccessTier.Hot, new TransferCounters(), Workers, 0, stop.Token);
        await using (writer)
        {
            Task submitting = SubmitForeverAsync(writer);
            await objects.Taking.WaitAsync(HangGuard, Cancel);

            await stop.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => submitting.WaitAsync(HangGuard, Cancel));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.FlushAsync(_ => Task.CompletedTask).WaitAsync(HangGuard, Cancel));
        }
    }

    [Fact]
    public async Task No_more_buffers_are_lent_than_the_pool_has()
    {
        await using WriteSession session = await BeginAsync(await OpenAsync(new MemoryVaultStore()), Workers);
        var rented = new List<byte[]>();
        for (int i = 0; i < PoolOf(Workers); i++)
        {
            rented.Add(await session.Chunks.RentBufferAsync());
        }

        Task<byte[]> next = session.Chunks.RentBufferAsync().AsTask();

        Assert.False(next.IsCompleted);
        session.Chunks.ReturnBuffer(rented[0]);
        Assert.Same(rented[0], await next.WaitAsync(HangGuard, Cancel));
    }

    [Fact]
    public async Task A_vault_that_takes_nothing_stops_the_reader_instead_of_filling_memory()
    {
        SlowVaultStore objects = Stuck();
        await using WriteSession session = await BeginAsync(await OpenAsync(objects), Workers);
        int handedOver = 0;
        Task submitting = SubmitForeverAsync(session.Chunks, () => Interlocked.Increment(ref handedOver));
        await objects.Taking.WaitAsync(HangGuard, Cancel);

        // All buffers for chunks, all packs for data, and not one more, however long it takes.
        const int PackBuffers = 5;
        int most = PoolOf(Workers) + (PackBuffers * 4);
        for (int last = -1; last != Volatile.Read(ref handedOver);)
        {
            last = Volatile.Read(ref handedOver);
            await Task.Delay(100, Cancel);
        }

        Assert.InRange(handedOver, 1, most);
        Assert.False(submitting.IsCompleted);
    }

    private static int PoolOf(int workers) => (3 * workers) + 3;

    private static async Task SubmitForeverAsync(ChunkWriter writer, Action? handedOver = null)
    {
        for (int seed = 0; ; seed++)
        {
            // Names of later chunks fail as well; what fails first is what counts.
            _ = await SubmitAsync(writer, TestKeys.Bytes(seed, QuarterPack));
            handedOver?.Invoke();
        }
    }

    private static SlowVaultStore Stuck() =>
        new(new MemoryVaultStore { Capabilities = _smallPacks }, name => name.Contains("/packs/", StringComparison.Ordinal));
}
