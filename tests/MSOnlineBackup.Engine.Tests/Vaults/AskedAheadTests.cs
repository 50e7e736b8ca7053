using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>What was asked ahead is given once, and never in place of what the store would say to somebody who asks again.</summary>
public sealed class AskedAheadTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_listing_is_given_once_and_then_the_store_is_asked()
    {
        await CreateAsync("folder/1");
        var store = new FaultyVaultStore(_objects);
        using var ahead = new AskedAhead(store);
        ahead.Ask("folder/", newest: 0);

        Assert.Equal(["folder/1"], await NamesAsync(ahead, "folder/"));
        Assert.Equal(1, store.CallsOf(VaultCall.List));
        await CreateAsync("folder/2");
        Assert.Equal(["folder/1", "folder/2"], await NamesAsync(ahead, "folder/"));
    }

    [Fact]
    public async Task A_folder_is_answered_from_the_one_around_it_and_others_are_not()
    {
        await CreateAsync("points/one/1");
        await CreateAsync("points/two/1");
        using var ahead = new AskedAhead(_objects);
        ahead.Ask("points/", newest: 0);
        await CreateAsync("packs/1");

        Assert.Equal(["packs/1"], await NamesAsync(ahead, "packs/"));
        Assert.Equal(["points/two/1"], await NamesAsync(ahead, "points/two/"));
    }

    [Fact]
    public async Task Contents_are_there_when_they_are_wanted_and_are_given_once()
    {
        await CreateAsync("folder/1");
        var store = new FaultyVaultStore(_objects);
        using var ahead = new AskedAhead(store);
        ahead.Ask("folder/", newest: 1);
        Assert.Single(await NamesAsync(ahead, "folder/"));
        byte[] content = new byte[100];

        Assert.Equal(8, await ahead.ReadAsync("folder/1", 0, content, Cancel));
        Assert.Equal("folder/1"u8, content.AsSpan(0, 8));
        Assert.Equal(1, store.CallsOf(VaultCall.Read));
        Assert.Equal(3, await ahead.ReadAsync("folder/1", 5, content.AsMemory(0, 3), Cancel));
        Assert.Equal(2, store.CallsOf(VaultCall.Read));
    }

    [Fact]
    public async Task Only_the_newest_are_read_and_nothing_large()
    {
        await CreateAsync("folder/old");
        Assert.True(await _objects.TryCreateAsync("large/1", new byte[9 << 20], Cancel));
        await CreateAsync("folder/young");
        var store = new FaultyVaultStore(_objects);
        using var ahead = new AskedAhead(store);
        ahead.Ask("folder/", newest: 1);
        ahead.Ask("large/", newest: 1);

        Assert.Equal(2, (await NamesAsync(ahead, "folder/")).Count);
        Assert.Single(await NamesAsync(ahead, "large/"));
        Assert.Equal(1, store.CallsOf(VaultCall.Read));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_failed_is_asked_again(int failAt)
    {
        await CreateAsync("folder/1");
        var store = new FaultyVaultStore(_objects) { FailAt = failAt, Kind = FaultKind.Transient };
        using var ahead = new AskedAhead(store);
        ahead.Ask("folder/", newest: 1);

        Assert.Single(await NamesAsync(ahead, "folder/"));
        Assert.Equal(8, await ahead.ReadAsync("folder/1", 0, new byte[8], Cancel));
    }

    [Fact]
    public async Task What_fails_for_good_fails_for_whoever_wants_it()
    {
        var store = new FaultyVaultStore(_objects) { FailAt = 1, Kind = FaultKind.ForGood };
        using var ahead = new AskedAhead(store);
        ahead.Ask("folder/", newest: 1);

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => NamesAsync(ahead, "folder/"));
        Assert.Equal(BackupErrorId.VaultUnreachable, failure.Id);
    }

    private static async Task<List<string>> NamesAsync(AskedAhead store, string prefix) =>
        [.. (await store.ListAsync(prefix, Cancel).ToListAsync(Cancel)).Select(found => found.Name).Order(StringComparer.Ordinal)];

    private async Task CreateAsync(string name) => Assert.True(await _objects.TryCreateAsync(name, System.Text.Encoding.UTF8.GetBytes(name), Cancel));
}
