using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>The whole engine on a container.</summary>
public sealed class BlobVaultTests
{
    private readonly string _url;

    public BlobVaultTests()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        _url = AzuriteServer.Shared.NewContainer();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ResilientVaultStore Opened => new(BlobVaultStore.Open(_url, new VaultConnection()));

    [Fact]
    public async Task A_real_tree_is_backed_up_twice_verified_and_restored()
    {
        using var folder = new TempFolder();
        string source = folder["source"];
        var tree = new SourceTreeBuilder(source);
        tree.Populate(seed: 1, items: 150).File("large", 40 << 20);
        var options = new VaultOptions { Workers = 2 };
        var owner = new KeptOwner();
        await Vault.CreateAsync(BlobVaultStore.Create(_url, new VaultConnection()), Obengine.Passphrase, options, Stop, owner.Keep);
        await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { AccessTier = VaultAccessTier.Cool }, Stop);
        UnlockedVault engine = await TestVault.UnlockAsync(Opened, Obengine.Passphrase, options, Stop);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(source, SourceSelection.Everything)] };
        BackupResult first = await engine.BackUpAsync(request, new JobMonitor(), Stop);

        tree.Edit(seed: 2);
        BackupResult second = await engine.BackUpAsync(request, new JobMonitor(), Stop);

        // Not what was read: files that are only just written are read again.
        Assert.True(second.Point.StoredBytes < first.Point.StoredBytes / 2);
        VerifyReport report = await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop);
        Assert.Empty(report.Findings);
        Assert.Equal(2, report.Points);
        var restore = new RestoreRequest { Point = second.Point, TargetFolder = folder["target"], Verify = true };
        await engine.RestoreAsync(restore, new JobMonitor(), Stop);
        Assert.Empty(TreeComparer.Compare(source, folder["target"] + source));

        var container = new BlobContainerClient(new Uri(_url), new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.Key));
        List<BlobItem> blobs = await container.GetBlobsAsync(new GetBlobsOptions(), Stop).ToListAsync(Stop);
        Assert.True(blobs.Where(blob => blob.Properties.AccessTier == AccessTier.Cool).Sum(blob => blob.Properties.ContentLength) > 40 << 20);
        Assert.All(blobs, blob => Assert.True(blob.Properties.AccessTier == AccessTier.Hot || blob.Name.Contains("/packs/", StringComparison.Ordinal)));

        // From here on the copies that it is declared to have are what its owner relies on.
        await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { Redundancy = VaultRedundancy.GeoRedundant }, Stop);
        BackupException error = await Assert.ThrowsAsync<BackupException>(
            async () =>
                await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { Redundancy = VaultRedundancy.LocallyRedundant }, Stop));
        Assert.Equal(BackupErrorId.VaultSettingFixed, error.Id);
        Assert.Equal(9, (await TestVault.ChangeSettingsAsync(Opened, owner.Key, settings => settings with { MachineLimit = 9 }, Stop)).MachineLimit);
    }

    [Fact]
    public Task A_silent_machine_of_fifty_is_found() => TestFleet.AssertSilenceIsFoundAsync(BlobVaultStore.Create(_url, new VaultConnection()), Stop);

    [Fact]
    public async Task A_folder_s_vault_copied_into_a_container_is_the_same_vault()
    {
        using var folder = new TempFolder();
        new SourceTreeBuilder(folder["source"]).Populate(seed: 3, items: 50);
        var options = new VaultOptions { Workers = 2 };
        var original = FolderVaultStore.Create(folder["vault"]);
        await Vault.CreateAsync(original, Obengine.Passphrase, options, Stop);
        UnlockedVault engine = await TestVault.UnlockAsync(original, Obengine.Passphrase, options, Stop);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(folder["source"], SourceSelection.Everything)] };
        await engine.BackUpAsync(request, new JobMonitor(), Stop);
        var copy = BlobVaultStore.Create(_url, new VaultConnection());
        await foreach (StoredObject item in original.ListAsync("", Stop))
        {
            byte[] content = new byte[item.Length];
            Assert.Equal(content.Length, await original.ReadAsync(item.Name, 0, content, Stop));
            Assert.True(await copy.TryCreateAsync(item.Name, content, Stop));
        }

        engine = await TestVault.UnlockAsync(Opened, Obengine.Passphrase, options, Stop);

        Assert.Single(await engine.ListPointsAsync(null, Stop));
        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop)).Findings);
    }
}
