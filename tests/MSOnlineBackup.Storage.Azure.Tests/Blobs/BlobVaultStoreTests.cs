using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>What a container has and a folder has not.</summary>
public sealed class BlobVaultStoreTests
{
    private const string Passphrase = "correct horse battery staple";

    private readonly string _url;

    public BlobVaultStoreTests()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        _url = AzuriteServer.Shared.NewContainer();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private BlobContainerClient Container => new(new Uri(_url), new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.Key));

    private BlobVaultStore Opened => BlobVaultStore.Open(_url, new VaultConnection());

    private BlobVaultStore Created => BlobVaultStore.Create(_url, new VaultConnection());

    [Fact]
    public async Task A_container_is_created_by_the_first_write_and_not_before()
    {
        BlobVaultStore store = Created;
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Null(await store.StatAsync("a", Stop));
        await store.DeleteAsync("a", Stop);
        Assert.False(await Container.ExistsAsync(Stop));

        Assert.True(await store.TryCreateAsync("a", new byte[1], Stop));

        Assert.True(await Container.ExistsAsync(Stop));
        Assert.False(await Created.TryCreateAsync("a", new byte[1], Stop));
    }

    [Fact]
    public async Task A_wrong_key_is_not_called_a_matter_of_the_firewall()
    {
        await Created.TryCreateAsync("a", new byte[1], Stop);
        var store = BlobVaultStore.Open(_url, new VaultConnection { Secret = $"AccountName={AzuriteServer.Account};AccountKey=d3Jvbmc=" });

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("a", 0, new byte[1], Stop));

        Assert.Equal(BackupErrorId.VaultAccessDenied, error.Id);
        Assert.Contains("the key, signature or token is not accepted", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("d3Jvbmc", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task First_calls_that_race_with_the_creation_of_the_container_all_succeed()
    {
        for (int round = 0; round < 20; round++)
        {
            var store = BlobVaultStore.Create(AzuriteServer.Shared.NewContainer(), new VaultConnection());

            bool[] created = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(
                async () =>
                {
                    await store.StatAsync($"b/{i}", Stop);
                    await store.ListAsync("b/", Stop).CountAsync(Stop);
                    return await store.TryCreateAsync($"a/{i}", new byte[10], Stop);
                },
                Stop)));

            Assert.All(created, Assert.True);
        }
    }

    [Fact]
    public async Task A_vault_that_is_opened_where_no_container_is_is_not_found()
    {
        BlobVaultStore store = Opened;
        Func<Task>[] calls =
        [
            async () => await store.TryCreateAsync("a", new byte[1], Stop),
            async () => await store.ReadAsync("a", 0, new byte[1], Stop),
            async () => await store.StatAsync("a", Stop),
            async () => await store.ListAsync("", Stop).ToListAsync(Stop),
            async () => await store.DeleteAsync("a", Stop),
        ];
        foreach (Func<Task> call in calls)
        {
            Assert.Equal(BackupErrorId.VaultNotFound, (await Assert.ThrowsAsync<BackupException>(call)).Id);
        }

        Assert.False(await Container.ExistsAsync(Stop));
    }

    [Fact]
    public async Task A_container_that_is_deleted_under_a_new_vault_is_not_made_again()
    {
        BlobVaultStore store = Created;
        await store.TryCreateAsync("a", new byte[1], Stop);
        await Container.DeleteAsync(cancellationToken: Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("b", new byte[1], Stop));

        Assert.Equal(BackupErrorId.VaultNotFound, error.Id);
    }

    [Theory]
    [InlineData(10_000_000)]
    [InlineData(32 << 20)]
    [InlineData((32 << 20) + 1)]
    public async Task What_is_too_large_for_one_request_is_staged_and_no_less_write_once(int length)
    {
        await Created.TryCreateAsync("first", new byte[1], Stop);
        var store = new BlobVaultStore(_url, new VaultConnection(), mayBeAbsent: false) { LargestSinglePut = 9_000_000 };
        byte[] content = new byte[length];
        new Random(1).NextBytes(content);

        Assert.True(await store.TryCreateAsync("large", content, Stop));
        Assert.False(await store.TryCreateAsync("large", content.AsMemory(1), Stop));

        Assert.NotEmpty((await Blocks("large")).CommittedBlocks);
        byte[] read = new byte[length + 1];
        Assert.Equal(length, await store.ReadAsync("large", 0, read, Stop));
        Assert.True(content.AsSpan().SequenceEqual(read.AsSpan(0, length)));
    }

    [Fact]
    public async Task A_pack_is_one_request_and_carries_a_checksum()
    {
        await Created.TryCreateAsync("pack", new byte[32 << 20], Stop);

        Assert.Empty((await Blocks("pack")).CommittedBlocks);
        BlobProperties found = await Container.GetBlobClient("pack").GetPropertiesAsync(cancellationToken: Stop);
        Assert.NotNull(found.ContentHash);
    }

    [Fact]
    public async Task What_others_put_there_under_other_names_is_no_object()
    {
        await Created.TryCreateAsync("a", new byte[1], Stop);
        await Container.UploadBlobAsync("Not an object", BinaryData.FromString("x"), Stop);

        Assert.Equal("a", Assert.Single(await Opened.ListAsync("", Stop).ToListAsync(Stop)).Name);
    }

    [Fact]
    public async Task An_object_is_created_in_the_tier_that_is_asked_for_and_hot_unless_one_is()
    {
        BlobVaultStore store = Created;
        await store.TryCreateAsync("none", new byte[1], Stop);
        foreach (VaultAccessTier tier in Enum.GetValues<VaultAccessTier>())
        {
            await store.TryCreateAsync(tier.ToString().ToLowerInvariant(), new byte[1], Stop, tier);
        }

        var tiers =
            await Container.GetBlobsAsync(new GetBlobsOptions(), Stop).Select(blob => (blob.Name, blob.Properties.AccessTier?.ToString())).ToListAsync(Stop);

        Assert.Equal([("cold", "Cold"), ("cool", "Cool"), ("hot", "Hot"), ("none", "Hot")], tiers.Order());
    }

    [Fact]
    public async Task An_archived_object_says_how_it_is_brought_back_and_is()
    {
        BlobVaultStore store = Created;
        foreach (string name in new[] { "a", "b", "c" })
        {
            await store.TryCreateAsync(name, new byte[100], Stop);
        }

        await Container.GetBlobClient("a").SetAccessTierAsync(AccessTier.Archive, cancellationToken: Stop);
        await Container.GetBlobClient("b").SetAccessTierAsync(AccessTier.Archive, cancellationToken: Stop);
        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("a", 0, new byte[1], Stop));
        Assert.Equal(BackupErrorId.VaultDataArchived, error.Id);
        Assert.Contains($"obengine vault rehydrate {_url}", error.RecommendedAction, StringComparison.Ordinal);
        Assert.False(await store.TryCreateAsync("a", new byte[100], Stop));

        IVaultAccount account = new ResilientVaultStore(store).Account!;
        Assert.Equal(new VaultRehydration(2, 200, 0, 0), await account.RehydrateAsync(urgently: true, Stop));
        Assert.Equal(default, await account.RehydrateAsync(urgently: false, Stop));

        Assert.Equal(100, await store.ReadAsync("a", 0, new byte[100], Stop));
    }

    [Fact]
    public async Task What_is_on_its_way_out_of_the_archive_is_counted_and_not_asked_for_again()
    {
        const string Body = "<?xml "
            + "version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>7</Content-Length><AccessTier>Archive</AccessTier>"
            + "<ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus></Properties></Blob></Blobs><NextMarker/></EnumerationResults>";
        await using var server = new CannedServer($"200 -\nContent-Type: application/xml\nContent-Length: {Body.Length}", Body);

        Assert.Equal(new VaultRehydration(0, 0, 1, 7), await server.OpenVault().RehydrateAsync(urgently: false, Stop));
        Assert.Equal(1, server.Requests);
    }

    [Theory]
    [InlineData("Standard_LRS", VaultRedundancy.LocallyRedundant)]
    [InlineData("Standard_ZRS", VaultRedundancy.ZoneRedundant)]
    [InlineData("Standard_GRS", VaultRedundancy.GeoRedundant)]
    [InlineData("Standard_RAGRS", VaultRedundancy.GeoRedundant)]
    [InlineData("Standard_GZRS", VaultRedundancy.GeoZoneRedundant)]
    [InlineData("Standard_RAGZRS", VaultRedundancy.GeoZoneRedundant)]
    [InlineData("Premium_LRS", VaultRedundancy.LocallyRedundant)]
    [InlineData("Premium_ZRS", VaultRedundancy.ZoneRedundant)]
    [InlineData("Something_New", null)]
    public async Task The_account_says_how_it_keeps_copies(string sku, VaultRedundancy? expected)
    {
        await using var server = new CannedServer($"200 -\nContent-Length: 0\nx-ms-sku-name: {sku}\nx-ms-account-kind: StorageV2");

        Assert.Equal(expected, await server.OpenVault().ReadRedundancyAsync(Stop));
    }

    [Fact]
    public async Task Who_may_not_ask_the_account_goes_on_without()
    {
        await using var server = new CannedServer("403 -\nContent-Length: 0\nx-ms-error-code: AuthorizationPermissionMismatch");

        Assert.Null(await server.OpenVault().ReadRedundancyAsync(Stop));
    }

    [Fact]
    public async Task A_vault_on_an_account_with_other_copies_than_declared_warns()
    {
        var owner = new KeptOwner();
        Vault vault = await Vault.CreateAsync(Created, Passphrase, new VaultOptions(), Stop, owner.Keep);
        VaultInfo info = await vault.InspectAsync(Stop);
        Assert.Equal((VaultRedundancy.GeoRedundant, null), (info.AccountRedundancy, info.Warning));

        await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { Redundancy = VaultRedundancy.GeoRedundant }, Stop);
        Assert.Null((await TestVault.InspectAsync(Opened, Stop)).Warning);

        await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { Redundancy = VaultRedundancy.LocallyRedundant }, Stop);
        string? warning = (await TestVault.InspectAsync(Opened, Stop)).Warning;
        Assert.Contains("LocallyRedundant", warning, StringComparison.Ordinal);
        Assert.Contains("GeoRedundant", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_add_read_and_list_may_create_and_not_delete()
    {
        await Created.TryCreateAsync("first", new byte[1], Stop);
        Uri signed = Container.GenerateSasUri(
            BlobContainerSasPermissions.Read | BlobContainerSasPermissions.Create | BlobContainerSasPermissions.Add | BlobContainerSasPermissions.List,
            DateTimeOffset.UtcNow.AddHours(1));
        var store = BlobVaultStore.Open(_url, new VaultConnection { Secret = signed.Query.TrimStart('?') });

        Assert.True(await store.TryCreateAsync("second", new byte[32 << 20], Stop));
        Assert.False(await store.TryCreateAsync("second", new byte[2], Stop));
        Assert.Equal(1, await store.ReadAsync("first", 0, new byte[10], Stop));
        Assert.Equal(2, await store.ListAsync("", Stop).CountAsync(Stop));

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.DeleteAsync("first", Stop));
        Assert.Equal(BackupErrorId.VaultAccessDenied, error.Id);
    }

    private async Task<BlockList> Blocks(string name) =>
        await new global::Azure.Storage.Blobs.Specialized.BlockBlobClient(
            Container.GetBlobClient(name).Uri, new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.Key))
            .GetBlockListAsync(cancellationToken: Stop);
}
