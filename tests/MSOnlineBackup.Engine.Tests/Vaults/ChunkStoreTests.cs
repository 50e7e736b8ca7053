using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class ChunkStoreTests
{
    private static readonly byte[] _content = TestKeys.Bytes(1, 5000);

    private readonly MemoryVaultStore _objects = new();

    private IEnumerable<string> Packs => _objects.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal));

    private IEnumerable<string> Segments => _objects.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal));

    [Fact]
    public async Task An_empty_store_has_nothing_and_says_so()
    {
        ChunkStore store = await OpenAsync(_objects);
        ChunkId id = TestKeysId(1);

        Assert.False(store.Contains(id));
        BackupException fault = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync(ChunkKind.Content, id, Cancel));
        Assert.Equal((BackupErrorId.VaultDataMissing, id.ToString()), (fault.Id, fault.Target));
    }

    // Sparse files cost whoever plants them nothing.
    [Fact]
    public async Task Great_objects_that_are_no_index_segments_are_told_by_their_beginning_and_not_read()
    {
        ChunkId id = await StoreOneAsync();
        var hollow = new HollowVaultStore(
            _objects, [.. Enumerable.Range(1, 12).Select(i => VaultLayout.Segment(Store, SessionId.Parse(new string('1', 32)), (uint)i))], length: 60 << 20);

        ChunkStore store = await OpenAsync(hollow);

        Assert.Equal(_content, (await store.ReadAsync(ChunkKind.Content, id, Cancel)).ToArray());
        Assert.Equal(12, store.Damage.Count);
        Assert.InRange(hollow.LongestRead, 1, 1 << 20);
    }

    [Fact]
    public async Task A_chunk_is_not_given_out_as_another_kind()
    {
        ChunkId id = await StoreOneAsync();

        BackupException fault =
            await Assert.ThrowsAsync<BackupException>(async () => await (await OpenAsync(_objects)).ReadAsync(ChunkKind.ManifestLeaf, id, Cancel));

        Assert.Equal(BackupErrorId.VaultDataMissing, fault.Id);
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("version")]
    [InlineData("truncate")]
    [InlineData("empty")]
    [InlineData("another's name")]
    [InlineData("delete")]
    public async Task Without_its_segment_a_chunk_is_found_by_its_packs_footer(string damage)
    {
        ChunkId id = await StoreOneAsync();
        string segment = Assert.Single(Segments);
        switch (damage)
        {
            case "flip":
                _objects.FlipBit(segment, 100);
                break;
            case "version":
                _objects.FlipBit(segment, 4);
                break;
            case "truncate":
                _objects.Damage(segment, content => content[..^1]);
                break;
            case "empty":
                _objects.SetContent(segment, []);
                break;
            case "another's name":
                _objects.SetContent(segment[..^1] + "9", _objects.GetContent(segment));
                _objects.Remove(segment);
                break;
            case "delete":
                _objects.Remove(segment);
                break;
        }

        ChunkStore store = await OpenAsync(_objects);

        Assert.Equal(damage == "delete" ? 0 : 1, store.Damage.Count);
        Assert.False(store.Contains(id));
        Assert.Equal(_content, (await store.ReadAsync(ChunkKind.Content, id, Cancel)).ToArray());
        Assert.True(store.Contains(id));
    }

    [Fact]
    public async Task An_object_of_another_kind_in_the_index_is_damage()
    {
        string name = VaultLayout.Segment(Store, SessionId.Parse(new string('0', 32)), 1);
        _objects.SetContent(name, SealedObject.Seal(TestKeys.Keys, SealedObjectKind.Checkpoint, name, [1]));

        ChunkStore store = await OpenAsync(_objects);

        Assert.Equal(name, Assert.Single(store.Damage).Target);
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("truncate")]
    [InlineData("empty")]
    public async Task Chunks_of_a_lost_pack_count_as_absent_and_are_stored_anew(string damage)
    {
        ChunkId id = await StoreOneAsync();
        string pack = Assert.Single(Packs);
        switch (damage)
        {
            case "delete":
                _objects.Remove(pack);
                break;
            case "truncate":
                _objects.Damage(pack, content => content[..^1]);
                break;
            case "empty":
                _objects.SetContent(pack, []);
                break;
        }

        ChunkStore store = await OpenAsync(_objects);
        await StoreAsync(store, ChunkKind.Content, _content);

        Assert.Contains(store.Damage, e => e.Target == pack);
        ChunkStore healed = await OpenAsync(_objects);
        Assert.Equal(_content, (await healed.ReadAsync(ChunkKind.Content, id, Cancel)).ToArray());
    }

    [Theory]
    [InlineData(PackFormat.VersionOffset)]
    [InlineData(PackFormat.KindOffset)]
    [InlineData(PackFormat.SaltOffset)]
    [InlineData(-PackFormat.TrailerLength)]
    [InlineData(-PackFormat.TrailerLength - 1)]
    public async Task A_pack_that_nothing_names_and_that_is_damaged_stands_in_nobodys_way(int at)
    {
        ChunkId other = await StoreOneAsync();
        string[] before = [.. _objects.Names];
        await StoreAsync(await OpenAsync(_objects), ChunkKind.Content, TestKeys.Bytes(2, 5000));
        _objects.Remove(Segments.Except(before).Single());
        string pack = Packs.Except(before).Single();
        _objects.FlipBit(pack, at < 0 ? _objects.GetContent(pack).Length + at : at);

        ChunkStore store = await OpenAsync(_objects);
        await store.SurveyPacksAsync(Cancel);

        Assert.Equal(pack, Assert.Single(store.Damage).Target);
        Assert.Equal(_content, (await store.ReadAsync(ChunkKind.Content, other, Cancel)).ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Of_two_copies_the_sound_one_is_read(int damaged)
    {
        // Two sessions that began before either had written, as two machines may.
        await using WriteSession first = await BeginAsync(await OpenAsync(_objects));
        await using WriteSession second = await BeginAsync(await OpenAsync(_objects));
        ChunkId id = await first.Chunks.WriteAsync(ChunkKind.Content, _content, Cancel);
        await first.FlushAsync(Cancel);
        await second.Chunks.WriteAsync(ChunkKind.Content, _content, Cancel);
        await second.FlushAsync(Cancel);
        string[] packs = [.. Packs];
        Assert.Equal(2, packs.Length);

        _objects.FlipBit(packs[damaged], PackFormat.HeaderLength);

        Assert.Equal(_content, (await (await OpenAsync(_objects)).ReadAsync(ChunkKind.Content, id, Cancel)).ToArray());
        _objects.FlipBit(packs[1 - damaged], PackFormat.HeaderLength);
        BackupException fault =
            await Assert.ThrowsAsync<BackupException>(async () => await (await OpenAsync(_objects)).ReadAsync(ChunkKind.Content, id, Cancel));
        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
    }

    [Fact]
    public async Task What_an_interrupted_session_left_unindexed_is_not_stored_again()
    {
        ChunkId id = await StoreOneAsync();
        _objects.Remove(Assert.Single(Segments));
        ChunkStore store = await OpenAsync(_objects);

        await StoreAsync(store, ChunkKind.Content, _content);

        Assert.Single(Packs);
        Assert.True((await OpenAsync(_objects)).Contains(id));
    }

    [Fact]
    public async Task Strange_names_among_packs_and_segments_are_passed_over()
    {
        ChunkId id = await StoreOneAsync();
        _objects.SetContent(VaultLayout.Packs(Store) + "00/readme.txt", [1]);
        ChunkStore store = await OpenAsync(_objects);
        await store.SurveyPacksAsync(Cancel);

        Assert.Empty(store.Damage);
        Assert.True(store.Contains(id));
    }

    private static ChunkId TestKeysId(int seed) => new(TestKeys.Bytes(seed, ChunkId.Length));

    private async Task<ChunkId> StoreOneAsync() => (await StoreAsync(await OpenAsync(_objects), ChunkKind.Content, _content))[0];

    /// <summary>Beside the objects of another store, some that are long and hold nothing but zeros.</summary>
    private sealed class HollowVaultStore(IVaultStore inner, string[] names, long length) : IVaultStore
    {
        private int _longest;

        public int LongestRead => _longest;

        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (!names.Contains(name))
            {
                return inner.ReadAsync(name, offset, destination, cancellationToken);
            }

            destination.Span.Clear();
            InterlockedMax(destination.Length);
            return ValueTask.FromResult(destination.Length);
        }

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken)
            .Concat(names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => new StoredObject(name, length, default)).ToAsyncEnumerable());

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        private void InterlockedMax(int value)
        {
            for (int known = _longest; value > known; known = _longest)
            {
                Interlocked.CompareExchange(ref _longest, value, known);
            }
        }
    }
}
