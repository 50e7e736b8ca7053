using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public sealed class SessionIdTests
{
    private static readonly MachineId _machine = MachineId.Parse("0123456789abcdef0123456789abcdef");

    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public void An_id_is_higher_than_any_before_it_whatever_the_clock_says() => Prop.ForAll<int>(seed =>
    {
        var random = new Random(seed);
        SessionId? highest = null;
        foreach (DateTimeOffset now in Clocks(random, 50))
        {
            var id = SessionId.Create(now, highest);
            string digits = id.ToString();

            Assert.Equal(id, SessionId.Parse(digits));
            Assert.True(highest is not { } before || (id > before && string.CompareOrdinal(digits, before.ToString()) > 0));
            Assert.Equal(('7', true), (digits[12], digits[16] is '8' or '9' or 'a' or 'b'));
            highest = id;
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Where_clocks_are_right_an_id_begins_with_the_time()
    {
        var now = new DateTimeOffset(2026, 11, 21, 4, 5, 6, TimeSpan.Zero);

        Assert.Equal(now.ToUnixTimeMilliseconds(), Convert.ToInt64(SessionId.Create(now, SessionId.Create(now.AddSeconds(-1), null)).ToShortString(), 16));
    }

    [Theory]
    [InlineData("f00000000000700080000000000000ff")]
    [InlineData("ffffffffffffffffffffffffffffffff")]
    [InlineData("")]
    [InlineData("0123")]
    public void What_lies_beyond_all_ids_is_none(string id) => Assert.False(SessionId.TryParse(id, out _));

    [Theory]
    [InlineData("f0000000000070008000000000000000")]
    [InlineData("efffffffffff7fffbfffffffffffffff")]
    [InlineData("e677d21fdc0070008000000000000000")]
    public async Task Nobody_without_the_key_can_plant_an_id_that_nothing_exceeds(string planted)
    {
        await using WriteSession honest = await BeginAsync(await OpenAsync(_objects));
        _objects.SetContent(VaultLayout.Sessions(Store) + planted, "{}"u8.ToArray());
        _objects.SetContent(VaultLayout.Points(Store, _machine) + planted, [1, 2, 3]);
        _objects.SetContent(VaultLayout.Checkpoints(Store) + planted + "-00000001", new byte[5000]);

        Assert.Equal(honest.Id, await SessionOrder.FindHighestAsync(await OpenAsync(_objects), Cancel));
        await using WriteSession next = await BeginAsync(await OpenAsync(_objects));
        Assert.Equal(next.Id, await next.CommitAsync(_machine, _ => new byte[10], Cancel));
    }

    [Theory]
    [InlineData("points")]
    [InlineData("checkpoints")]
    public async Task After_the_year_9999_what_opens_still_counts(string where)
    {
        var last = SessionId.Create(DateTimeOffset.MaxValue, SessionId.Create(DateTimeOffset.MaxValue, null));
        string name = where == "points" ? VaultLayout.Point(Store, _machine, last) : VaultLayout.Checkpoint(Store, last, 1);
        ChunkStore store = await OpenAsync(_objects);
        _objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.RecoveryPoint, name, [1]));

        Assert.Equal(last, await SessionOrder.FindHighestAsync(store, Cancel));
        await using WriteSession next = await BeginAsync(store);
        Assert.True(next.Id > last);
    }

    [Fact]
    public void Where_no_id_is_left_that_is_said()
    {
        BackupException fault =
            Assert.Throws<BackupException>(() => SessionId.Create(DateTimeOffset.UnixEpoch, SessionId.Parse("efffffffffff70008000000000000000")));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
    }

    [Fact]
    public async Task Who_commits_after_a_session_that_began_later_commits_under_a_new_id()
    {
        await using WriteSession first = await BeginAsync(await OpenAsync(_objects));
        await using WriteSession second = await BeginAsync(await OpenAsync(_objects));
        Assert.True(first.Id < second.Id);
        Assert.Equal(second.Id, await second.CommitAsync(_machine, _ => new byte[10], Cancel));

        SessionId? described = null;
        SessionId committed = await first.CommitAsync(
            _machine,
            id =>
            {
                described = id;
                return new byte[10];
            },
            Cancel);

        Assert.Equal(committed, described);
        Assert.True(committed > second.Id);
        Assert.Contains(VaultLayout.Session(Store, committed), _objects.Names);
        Assert.Contains(VaultLayout.Point(Store, _machine, committed), _objects.Names);
        Assert.DoesNotContain(VaultLayout.Point(Store, _machine, first.Id), _objects.Names);
    }

    [Fact]
    public async Task Another_machines_points_make_no_new_id_necessary()
    {
        await using WriteSession first = await BeginAsync(await OpenAsync(_objects));
        await using WriteSession second = await BeginAsync(await OpenAsync(_objects));
        await second.CommitAsync(_machine, _ => new byte[10], Cancel);

        Assert.Equal(first.Id, await first.CommitAsync(MachineId.Parse(new string('a', 32)), _ => new byte[10], Cancel));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Under_a_new_id_nothing_is_committed_that_relies_on_what_is_deleted_or_about_to_be(bool onlyCondemned)
    {
        await StoreAsync(await OpenAsync(_objects), ChunkKind.Content, new byte[1000]);
        string pack = Assert.Single(_objects.Names, name => name.Contains("/packs/", StringComparison.Ordinal));
        ChunkStore store = await OpenAsync(_objects);
        await using WriteSession first = await BeginAsync(store);
        await using WriteSession second = await BeginAsync(await OpenAsync(_objects));
        await second.CommitAsync(_machine, _ => new byte[10], Cancel);
        if (onlyCondemned)
        {
            Condemn(store, pack);
        }
        else
        {
            _objects.Remove(pack);
        }

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => first.CommitAsync(_machine, _ => new byte[10], Cancel));

        Assert.Equal((BackupErrorId.SessionFenced, true), (fault.Id, fault.IsTransient));
        Assert.Contains(pack, fault.Message, StringComparison.Ordinal);
        Assert.Single(_objects.Names, name => name.Contains("/points/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_takes_no_chunk_for_stored_that_only_a_condemned_pack_holds()
    {
        byte[] content = new byte[1000];
        await StoreAsync(await OpenAsync(_objects), ChunkKind.Content, content);
        string pack = Assert.Single(_objects.Names, name => name.Contains("/packs/", StringComparison.Ordinal));
        foreach (bool indexed in (bool[])[true, false])
        {
            foreach (string segment in _objects.Names.Where(name => !indexed && name.Contains("/index/", StringComparison.Ordinal)).ToArray())
            {
                _objects.Remove(segment);
            }

            MemoryVaultStore objects = _objects.Clone();
            ChunkStore store = await OpenAsync(objects);
            string name = CondemnedPacks.NameOf(Store, 1);
            Assert.True(VaultLayout.TryParseNumbered(pack, out SessionId session, out uint number));
            objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.CondemnedPacks, name, CondemnedPacks.Encode([(session, number)])));

            await StoreAsync(await OpenAsync(objects), ChunkKind.Content, content);

            Assert.Equal(2, objects.Names.Count(other => other.Contains("/packs/", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("00000001.final", true)]
    [InlineData("00000001", true)]
    [InlineData("1.condemn", true)]
    [InlineData("00000001.condemn", false)]
    public async Task What_cannot_be_read_of_what_is_about_to_be_deleted_lets_nothing_be_written(string name, bool isPassedOver)
    {
        _objects.SetContent(VaultLayout.Collections(Store) + name, [1, 2, 3]);

        if (isPassedOver)
        {
            await using WriteSession session = await BeginAsync(await OpenAsync(_objects));
            Assert.True(session.Id > default(SessionId));
        }
        else
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(async () => await BeginAsync(await OpenAsync(_objects)));
            Assert.Equal((BackupErrorId.VaultDataCorrupt, VaultLayout.Collections(Store) + name), (fault.Id, fault.Target));
        }
    }

    /// <summary>Clocks as they have been seen: right, 400 days ahead, back, before 1970, at the end of time.</summary>
    internal static IEnumerable<DateTimeOffset> Clocks(Random random, int count)
    {
        var now = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
        for (int i = 0; i < count; i++)
        {
            now = now.AddMinutes(random.Next(3));
            yield return random.Next(8) switch
            {
                0 => now.AddDays(400),
                1 => now.AddDays(-random.Next(10_000)),
                2 => new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero),
                3 => DateTimeOffset.MinValue.AddDays(2),
                4 => DateTimeOffset.MaxValue.AddDays(-2),
                _ => now,
            };
        }
    }

    private void Condemn(ChunkStore store, string pack)
    {
        string name = CondemnedPacks.NameOf(Store, 1);
        Assert.True(VaultLayout.TryParseNumbered(pack, out SessionId session, out uint number));
        _objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.CondemnedPacks, name, CondemnedPacks.Encode([(session, number)])));
    }
}
